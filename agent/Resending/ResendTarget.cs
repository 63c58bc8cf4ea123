using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Client;
using LogPipeline.Client.Metadata;
using LogPipeline.Protocol;

namespace LogPipeline.Agent.Resending;

/// <summary>
/// Sends batches of records marked <c>again</c> to a log's leader, one after the other. They carry no producer id: a batch that is sent twice
/// because its answer was lost is one that sinks drop, like any record of it that was stored before.
/// </summary>
internal sealed class ResendTarget(LogDirectory directory, TopicPartitionKey key, AgentOptions options)
{
    private readonly List<(long Begin, long End)> _offsets = [];
    private LogLink? _link;

    /// <summary>The log as the cluster has it now; not known before <see cref="OpenAsync"/>.</summary>
    public LogIdentity Identity { get; private set; }

    /// <summary>The offsets that the records got, in stretches.</summary>
    public IReadOnlyList<(long Begin, long End)> Offsets => _offsets;

    /// <summary>Records that the broker refuses for good, and why the last was.</summary>
    public (int Count, ErrorCode Error) Refused { get; private set; }

    /// <summary>Finds the log's leader.</summary>
    /// <exception cref="ResendRefusedException">There is no such topic.</exception>
    public Task OpenAsync(CancellationToken cancellation) => TryAsync(Task.FromResult, cancellation);

    /// <param name="batch">A whole batch; its producer fields are empty.</param>
    /// <param name="count">Its records.</param>
    /// <param name="cancellation">Ends the sending; what was sent stays.</param>
    public async Task SendAsync(ReadOnlyMemory<byte> batch, int count, CancellationToken cancellation)
    {
        ProduceAnswer answer = await TryAsync(link => ProduceAsync(link.Leader, batch, cancellation), cancellation);
        if (answer.Error == ErrorCode.None)
        {
            Note(answer.BaseOffset, answer.BaseOffset + count);
        }
        else if (count == 1)
        {
            Refused = (Refused.Count + 1, answer.Error);
        }
        else
        {
            ((byte[] first, int firstCount), (byte[] second, int secondCount)) = ReEncoder.Halve(batch.Span, count, ShippingParts.CodecOf(options));
            await SendAsync(first, firstCount, cancellation);
            await SendAsync(second, secondCount, cancellation);
        }
    }

    private static async Task<ProduceAnswer> ProduceAsync(PartitionLeader leader, ReadOnlyMemory<byte> batch, CancellationToken cancellation)
    {
        ProduceAnswer answer = await leader.ProduceAsync(batch, cancellation);
        return answer.Error == ErrorCode.None || Refusal.IsForGood(answer.Error) ? answer
            : throw new BrokerErrorException(answer.Error, $"{answer.Error} {answer.Message}".TrimEnd());
    }

    /// <summary>Does something at the leader, again after faults that pass, as long as a request may take.</summary>
    private Task<T> TryAsync<T>(Func<LogLink, Task<T>> work, CancellationToken cancellation) => directory.RetryAsync(
        async inner => await work(_link ??= await ConnectAsync(inner)),
        _ =>
        {
            _link = null;
            directory.Invalidate(key.Topic);
        },
        cancellation,
        options.RequestTimeout);

    private async Task<LogLink> ConnectAsync(CancellationToken cancellation)
    {
        try
        {
            LogLink link = await directory.ConnectOnceAsync(key, cancellation);
            Identity = link.Identity;
            return link;
        }
        catch (BrokerErrorException missing) when (missing.Code == ErrorCode.UnknownTopicOrPartition)
        {
            throw new ResendRefusedException($"there is no topic {key.Topic}; make it, then send again");
        }
    }

    private void Note(long begin, long end)
    {
        if (_offsets.Count > 0 && _offsets[^1].End == begin)
        {
            _offsets[^1] = (_offsets[^1].Begin, end);
        }
        else
        {
            _offsets.Add((begin, end));
        }
    }
}
