using System.Globalization;
using LogPipeline.Agent.Inspection;
using LogPipeline.Agent.Machine;
using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Tailing;
using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Files;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogPipeline.Agent.Resending;

/// <summary>
/// Sends lines again that the agent has acked, for a topic that lost them: the same records at the same positions, marked <c>again</c>, so that
/// sinks drop those whose range they have and store the others. Reads the agent's state as it is on the disk, whether the agent runs or not, and changes
/// nothing there. Nothing is sent before all that is acked of the file was read once and proved to be what was sent.
/// </summary>
public sealed class Resend
{
    private const int OffsetsShown = 5;

    private readonly AgentOptions _options;
    private readonly ResendRequest _request;
    private readonly IFileSystem _files;
    private readonly IConnector _connector;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly Action<string> _tell;
    private readonly StateView _state;
    private readonly PathRules _rules;

    private Resend(
        AgentOptions options, ResendRequest request, IFileSystem files, IConnector connector, TimeProvider time, Random random, Action<string> tell)
    {
        _options = MachineFacts.Named(options);
        (_request, _files, _connector, _time, _random, _tell) = (request, files, connector, time, random, tell);
        _state = StateView.Load(files, options.StateDirectory);
        _rules = new PathRules(_options);
    }

    /// <summary>Sends what is asked for. A file that two topics have is sent to both.</summary>
    /// <param name="options">The agent's configuration.</param>
    /// <param name="request">What is to be sent.</param>
    /// <param name="files">The disk.</param>
    /// <param name="connector">The network.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Chance: the delays between tries.</param>
    /// <param name="tell">Called with each line of what there is to say.</param>
    /// <param name="cancellation">Ends the sending; what was sent stays.</param>
    /// <returns>Whether all of it was taken.</returns>
    /// <exception cref="ResendRefusedException">It cannot be sent.</exception>
    /// <exception cref="IOException">The state cannot be read, or a broker cannot be reached.</exception>
    /// <exception cref="BrokerErrorException">A broker does not take it.</exception>
    public static async Task<bool> RunAsync(
        AgentOptions options, ResendRequest request, IFileSystem files, IConnector connector, TimeProvider time, Random random, Action<string> tell,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(request);
        var resend = new Resend(options, request, files, connector, time, random, tell);
        List<AckedFile> found = resend.Find();
        bool isTaken = true;
        foreach (AckedFile file in found)
        {
            isTaken &= found.Count == 1 ? await resend.SendAsync(file, cancellation) : await resend.TrySendAsync(file, cancellation);
        }
        return isTaken;
    }

    /// <summary>Sends to one of several topics; a reason not to holds for that one alone.</summary>
    private async Task<bool> TrySendAsync(AckedFile found, CancellationToken cancellation)
    {
        try
        {
            return await SendAsync(found, cancellation);
        }
        catch (ResendRefusedException refused)
        {
            _tell($"{found.Generation.Topic}: {refused.Message}");
            return false;
        }
    }

    private List<AckedFile> Find()
    {
        using var metrics = new AgentMetrics(static () => [], static () => 0, static () => 0, static () => 0, static () => 0);
        var probe = new FileProbe(_files, metrics, NullLogger.Instance);
        probe.BeginLook();
        return AckedFile.Find(_files, probe, _state.Generations, _request.Path);
    }

    private async Task<bool> SendAsync(AckedFile found, CancellationToken cancellation)
    {
        Generation generation = found.Generation;
        _tell($"{found.Path}{(found.Path == generation.FirstPath ? "" : $", first {generation.FirstPath}")}: generation {generation.Id:x16} to {generation.Topic}-{generation.Partition},"
            + string.Create(CultureInfo.InvariantCulture, $" {generation.Acked.Records} lines acked, to byte {generation.Acked.Position}"));
        InputOptions input = _rules.InputOf(generation) ?? throw new ResendRefusedException(
            $"{generation.FirstPath}: no input for topic {generation.Topic} wants it any more, so what its lines are to become is not known; nothing is sent");
        (long from, long to) = Bounds(generation);
        using IFile file = found.Open(_files);
        using var records = new AckedRecords(_options, input, _state.Registry.AgentId, generation, file, _time);
        var chosen = new ChosenLines(from, to);
        records.Prove((position, _) => chosen.Add(position));
        if (chosen.Count == 0)
        {
            throw new ResendRefusedException($"no line that is acked lies between byte {from} and {to}; nothing is sent");
        }
        TellRounding(chosen);
        if (_request.IsDry)
        {
            _tell($"would send {chosen} to {generation.Topic}-{generation.Partition}; nothing was sent");
            return true;
        }
        return await SendAsync(generation, records, chosen, cancellation);
    }

    private (long From, long To) Bounds(Generation generation)
    {
        long acked = generation.Acked.Position;
        if (acked == generation.Begin || generation.Partition < 0)
        {
            throw new ResendRefusedException("nothing of it is acked yet: the agent sends it, or waits to; nothing is sent");
        }
        long from = _request.From ?? generation.Begin;
        if (from >= acked)
        {
            throw new ResendRefusedException($"byte {from} is not acked, byte {acked} is the first that is not; nothing is sent");
        }
        if (_request.To > acked)
        {
            _tell($"--to {_request.To} is beyond what is acked: to byte {acked}");
        }
        return (from, Math.Min(_request.To ?? acked, acked));
    }

    private void TellRounding(ChosenLines chosen)
    {
        if (_request.From is long from && from != chosen.Begin)
        {
            _tell($"--from {from}: the line that it lies in, or that follows, begins at byte {chosen.Begin}");
        }
        if (_request.To is long to && to < chosen.End)
        {
            _tell($"--to {to}: the line that it lies in ends at byte {chosen.End}");
        }
    }

    private async Task<bool> SendAsync(Generation generation, AckedRecords records, ChosenLines chosen, CancellationToken cancellation)
    {
        var clientOptions = new ClientOptions
        {
            Bootstrap = _options.Bootstrap,
            ClientId = "logpipe-agent-resend",
            RequestTimeout = _options.RequestTimeout,
            LookupTimeout = TimeSpan.FromSeconds(10),
            AutoCreateTopics = false,
        };
        await using var cluster = new ClusterClient(clientOptions, _connector, _time, _random);
        var target = new ResendTarget(
            new LogDirectory(cluster, _options, _time, _random), new TopicPartitionKey(generation.Topic, generation.Partition), _options);
        await target.OpenAsync(cancellation);
        TellOtherLog(generation, target);
        foreach (ReadOnlyMemory<byte> batch in records.Proved())
        {
            (byte[] again, int count) = ReEncoder.Apply(
                batch.Span, ShippingParts.CodecOf(_options), 0, (_, position) => chosen.Has(position) ? RecordFate.MarkAgain : RecordFate.Drop);
            if (count > 0)
            {
                await target.SendAsync(again, count, cancellation);
            }
        }
        string offsets = string.Join(", ", target.Offsets.Take(OffsetsShown).Select(static stretch => $"{stretch.Begin} to {stretch.End - 1}"));
        _tell($"sent {chosen} to {generation.Topic}-{target.Identity.Partition}, marked again: offsets {offsets}{(target.Offsets.Count > OffsetsShown ? " and others" : "")}");
        if (target.Refused.Count > 0)
        {
            _tell($"{target.Refused.Count} of them the broker refuses ({target.Refused.Error}); {generation.DeadLetters.Records} of its lines are in the agent's dead letters");
        }
        return target.Refused.Count <= generation.DeadLetters.Records;
    }

    /// <summary>A topic that was deleted and made again is another log; sinks know lines by agent, generation and topic name, so they drop what they have all the same.</summary>
    private void TellOtherLog(Generation generation, ResendTarget target)
    {
        LogIdentity? acked = _state.Registry.Logs.Find(log => log.Topic == generation.Topic && log.Partition == generation.Partition)?.Identity;
        if (acked is { ClusterId.Length: > 0 } && acked != target.Identity)
        {
            _tell($"{generation.Topic}-{generation.Partition} is another log than the one that the agent's state names: another cluster, or the topic was made anew");
        }
    }
}
