using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;

namespace LogPipeline.Agent.Resending;

/// <summary>
/// Sends batches of records marked <c>again</c> to a log's leader, one after the other. They carry no producer id: a batch that is sent twice
/// because its answer was lost is one that sinks drop, like any record of it that was stored before.
/// </summary>
internal sealed class ResendTarget(ClusterClient cluster, string topic, int partition, AgentOptions options, TimeProvider time, Random random)
{
    private static readonly BackOff Delays = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5));

    private readonly List<(long Begin, long End)> _offsets = [];
    private PartitionLeader? _leader;

    /// <summary>The log as the cluster has it now; not known before <see cref="OpenAsync"/>.</summary>
    public LogIdentity Identity { get; private set; }

    /// <summary>The offsets that the records got, in stretches.</summary>
    public IReadOnlyList<(long Begin, long End)> Offsets => _offsets;

    /// <summary>Records that the broker refuses for good, and why the last was.</summary>
    public (int Count, ErrorCode Error) Refused { get; private set; }

    /// <summary>Finds the log's leader.</summary>
    /// <exception cref="ResendRefusedException">There is no such topic.</exception>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        await TryAsync(static _ => Task.FromResult(true), cancellation);
    }

    /// <param name="batch">A whole batch; its producer fields are empty.</param>
    /// <param name="count">Its records.</param>
    /// <param name="cancellation">Ends the sending; what was sent stays.</param>
    public async Task SendAsync(ReadOnlyMemory<byte> batch, int count, CancellationToken cancellation)
    {
        ProduceAnswer answer = await TryAsync(leader => ProduceAsync(leader, batch, cancellation), cancellation);
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
            int half = count / 2;
            (byte[] first, _) = ReEncoder.Apply(batch.Span, Codec, 0, (i, _) => i < half ? RecordFate.Keep : RecordFate.Drop);
            (byte[] second, _) = ReEncoder.Apply(batch.Span, Codec, 0, (i, _) => i < half ? RecordFate.Drop : RecordFate.Keep);
            await SendAsync(first, half, cancellation);
            await SendAsync(second, count - half, cancellation);
        }
    }

    private CompressionCodec Codec => ShippingParts.CodecOf(options);

    private static async Task<ProduceAnswer> ProduceAsync(PartitionLeader leader, ReadOnlyMemory<byte> batch, CancellationToken cancellation)
    {
        ProduceAnswer answer = await leader.ProduceAsync(batch, cancellation);
        return answer.Error == ErrorCode.None || Refusal.IsForGood(answer.Error) ? answer
            : throw new BrokerErrorException(answer.Error, $"{answer.Error} {answer.Message}".TrimEnd());
    }

    /// <summary>Does something at the leader, again after faults that pass, as long as a request may take.</summary>
    private async Task<T> TryAsync<T>(Func<PartitionLeader, Task<T>> work, CancellationToken cancellation)
    {
        long begin = time.GetTimestamp();
        for (int failures = 0; ; failures++)
        {
            try
            {
                return await work(_leader ??= await ConnectAsync(cancellation));
            }
            catch (BrokerErrorException missing) when (missing.Code == ErrorCode.UnknownTopicOrPartition && _leader is null)
            {
                throw new ResendRefusedException($"there is no topic {topic}; make it, then send again");
            }
            catch (Exception fault) when (LogDirectory.IsPassing(fault, cancellation) && time.GetElapsedTime(begin) < options.RequestTimeout)
            {
                _leader = null;
                cluster.Invalidate(topic);
                await Task.Delay(Delays.Delay(failures, random.NextDouble()), time, cancellation);
            }
        }
    }

    private async Task<PartitionLeader> ConnectAsync(CancellationToken cancellation)
    {
        TopicMetadata found = await cluster.TopicAsync(topic, refresh: true, cancellation);
        int wire = LogDirectory.WirePartition(partition, found);
        BrokerConnection connection = await cluster.LeaderAsync(topic, wire, cancellation);
        Identity = new LogIdentity(cluster.ClusterId, found.TopicId, wire);
        return new PartitionLeader(connection, new TopicPartition(topic, wire), found.TopicId, options.RequestTimeout);
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
