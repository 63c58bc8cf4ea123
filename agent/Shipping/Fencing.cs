using LogPipeline.Agent.State;
using LogPipeline.Client;
using LogPipeline.Client.Metadata;
using LogPipeline.Contract;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Shipping;

/// <summary>What a fence and scan looks for in the log.</summary>
internal enum FenceScope
{
    /// <summary>Entries not acked.</summary>
    Unacked,

    /// <summary>Acked ones too: the log may have lost its end.</summary>
    WithRetained,

    /// <summary>And whatever else this agent sent: entries are lost.</summary>
    Everything,
}

/// <summary>
/// Fence and scan: note the fence durably, write a marker under the same producer id with the epoch raised (from then on older
/// requests still under way get 47), read the log up to the marker, take what is found for acked, send the rest under a new id.
/// </summary>
internal sealed class Fencing(
    LogWindow window, AgentState state, Generations generations, ClusterClient cluster, Replacement replacement, TimeProvider time,
    AgentMetrics metrics, ILogger logger)
{
    private (long ProducerId, string Reason) _said;

    public async Task RunAsync(LogLink link, string reason, FenceScope scope, Refusal? refused, CancellationToken cancellation)
    {
        SortedDictionary<long, short> producers = Producers(scope);
        long fence = 0;
        foreach ((long producerId, short epoch) in producers)
        {
            Say(producerId, reason);
            fence = Math.Max(fence, await FenceAsync(link, producerId, epoch, cancellation));
        }
        LogEnd end = await link.EndAsync(cancellation);
        if (producers.Count > 0 && end.Offset <= fence) // where nothing was ever sent there is nothing to fence
        {
            throw new BrokerErrorException(ErrorCode.FencedLeaderEpoch, "the fence is not in the log");
        }
        long start = (await link.Leader.OffsetAsync(OffsetSpec.Earliest, cancellation)).Offset;
        List<RetainedEntry> retained =
            scope == FenceScope.Unacked ? [] : [.. window.Retained.Where(r => r.Identity == link.Identity && r.LogPosition >= start && state.Inflight.Holds(r.Place))];
        long from = await ScanFromAsync(link, retained, scope, cancellation);
        (FoundRanges found, long begin) = await LogScan.ReadAsync(link.Leader, from, fence, state.AgentId, cancellation);
        if ((await link.EndAsync(cancellation)).LeaderEpoch != end.LeaderEpoch)
        {
            throw new BrokerErrorException(ErrorCode.FencedLeaderEpoch, "the leader changed while the log was read back");
        }
        ProducerIdentity producer = await NewProducerAsync(link, end, cancellation);
        List<EntryRange> extra = scope == FenceScope.Everything ? InNoEntry(found) : [];
        retained.RemoveAll(r => r.LogPosition < begin); // what retention took is no loss
        var plan = new ReplacementPlan(
            link.Identity, producer, found, retained, extra, refused, Unsure: from < begin, LeaderEpoch: end.LeaderEpoch);
        List<InflightEntry> group = replacement.Make(plan, out ReplacementCounts counts);
        // Only now, since what comes before may fail and is then tried again: reading goes on behind what was found.
        group.ForEach(generations.Restore);
        logger.Scanned(window.Key.Topic, window.Key.Partition, counts.Found, counts.Missing, counts.Lost);
        await CommitAsync(group);
        metrics.Fences.Add(1);
        _said = default;
    }

    /// <summary>The log is another than before: everything unacked goes to it, marked again.</summary>
    public async Task StartAnewAsync(LogLink link, CancellationToken cancellation)
    {
        LogEnd end = await link.EndAsync(cancellation);
        ProducerIdentity producer = await NewProducerAsync(link, end, cancellation);
        var plan = new ReplacementPlan(link.Identity, producer, new FoundRanges(), [], [], null, Unsure: true, LeaderEpoch: end.LeaderEpoch);
        await CommitAsync(replacement.Make(plan, out _));
    }

    /// <summary>Takes a producer id for new data; the registry knows it before it is used.</summary>
    public async Task<ProducerIdentity> NewProducerAsync(LogLink link, LogEnd end, CancellationToken cancellation)
    {
        ProducerIdentity producer = await cluster.NewProducerIdAsync(cancellation);
        LogRecord record = window.Record;
        record.Identity = link.Identity;
        record.ProducerId = producer.ProducerId;
        record.ProducerEpoch = producer.Epoch;
        record.Saw(end);
        window.Writer.Begin(producer);
        await state.SnapshotAsync();
        return producer;
    }

    private async Task CommitAsync(List<InflightEntry> group)
    {
        foreach (InflightEntry entry in group)
        {
            state.Inflight.Append(entry);
        }
        // In the same flush, behind the group: until then a start fences again, since the registry may know the new producer already.
        state.Inflight.EndFence(window.Key);
        // Reading may close a batch while this waits; it goes out behind the group, under its producer.
        long next = state.Inflight.NextNumber;
        await state.Inflight.DurableAsync();
        window.Replace(group, next);
        window.ForgetAcked();
        metrics.Resent.Add(group.Count);
    }

    /// <summary>Once, however often it is tried.</summary>
    private void Say(long producerId, string reason)
    {
        if (_said != (producerId, reason))
        {
            _said = (producerId, reason);
            logger.Fencing(window.Key.Topic, window.Key.Partition, producerId, reason);
        }
    }

    private SortedDictionary<long, short> Producers(FenceScope scope)
    {
        SortedDictionary<long, short> producers = [];
        foreach (WindowSlot slot in window.Slots)
        {
            if (slot.Entry.ProducerId >= 0)
            {
                producers[slot.Entry.ProducerId] = slot.Entry.ProducerEpoch;
            }
        }
        if (window.Record.ProducerId >= 0 && (producers.Count == 0 || scope != FenceScope.Unacked))
        {
            producers.TryAdd(window.Record.ProducerId, window.Record.ProducerEpoch);
        }
        if (window.LastAckedProducer >= 0 && producers.Count == 0)
        {
            producers[window.LastAckedProducer] = window.Retained.LastOrDefault().ProducerEpoch;
        }
        return producers;
    }

    private async Task<long> FenceAsync(LogLink link, long producerId, short epoch, CancellationToken cancellation)
    {
        FenceNote? note = state.Inflight.FenceOf(window.Key);
        short raised = note?.ProducerId == producerId ? note.Epoch : (short)(epoch + 1);
        if (link.Leader.CanDescribeProducers && await link.Leader.ProducerAsync(producerId, cancellation) is ActiveProducer seen && seen.Epoch > raised)
        {
            raised = (short)(seen.Epoch + 1);
        }
        bool timeless = false;
        while (true)
        {
            state.Inflight.AppendFence(new FenceNote(window.Key, producerId, raised));
            await state.Inflight.DurableAsync();
            ProduceAnswer answer = await link.Leader.ProduceAsync(Marker(producerId, raised, timeless), cancellation);
            switch (answer.Error)
            {
                case ErrorCode.None:
                    return answer.BaseOffset;
                case ErrorCode.InvalidProducerEpoch or ErrorCode.ProducerFenced
                    or ErrorCode.OutOfOrderSequenceNumber or ErrorCode.DuplicateSequenceNumber when raised < short.MaxValue:
                    // Somebody raised it further, or wrote on under it.
                    raised++;
                    break;
                case ErrorCode.InvalidTimestamp when !timeless:
                    timeless = true;
                    break;
                default:
                    throw new BrokerErrorException(answer.Error, $"writing a fence: {answer.Error} {answer.Message}".TrimEnd());
            }
        }
    }

    private byte[] Marker(long producerId, short epoch, bool timeless)
    {
        Span<byte> value = stackalloc byte[FenceMarker.Size];
        new FenceMarker(state.AgentId, producerId, epoch).Write(value);
        byte[] header = new byte[RecordHeaders.Size(PositionHeaders.Fence.Length, value.Length)];
        RecordHeaders.Write(header, PositionHeaders.Fence, value);
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1024);
        builder.TryAppend(timeless ? -1 : SaneClock.Now(time, out _), false, default, false, default, 1, header);
        return builder.Build(producerId, epoch, 0).ToArray();
    }

    /// <summary>The lowest offset at which anything looked for can lie; lower still where the log was cut since.</summary>
    private async Task<long> ScanFromAsync(LogLink link, List<RetainedEntry> retained, FenceScope scope, CancellationToken cancellation)
    {
        List<(long Offset, int Epoch)> origins =
        [
            .. window.Slots.Select(s => (s.Entry.ScanFrom, s.Entry.LeaderEpoch)),
            .. retained.Select(r => (r.LogPosition, r.LeaderEpoch)),
        ];
        if (scope == FenceScope.Everything || origins.Count == 0)
        {
            origins.Add((Math.Max(0, window.Record.End.Offset), window.Record.End.LeaderEpoch));
        }
        long from = origins.Min(o => o.Offset);
        foreach (int epoch in origins.Select(o => o.Epoch).Distinct().Order().ToList())
        {
            from = Math.Min(from, await link.EndOfEpochAsync(epoch, cancellation) ?? from);
        }
        return Math.Max(0, from);
    }

    /// <summary>Records of entries that are lost here and found there.</summary>
    private List<EntryRange> InNoEntry(FoundRanges found)
    {
        List<EntryRange> ranges = [];
        foreach (Generation generation in generations.All)
        {
            if (generation.Topic != window.Key.Topic || generation.Partition != window.Key.Partition)
            {
                continue;
            }
            Progress begin = generation.Read;
            Progress end = begin;
            foreach (FoundRecord record in found.After(generation.Id, begin.Covered))
            {
                end = Replacement.After(end, record.Position, record.ValueLength, record.SumTerm);
            }
            if (end != begin)
            {
                ranges.Add(new EntryRange(generation.Id, begin.Position, end, default, default));
            }
        }
        return ranges;
    }
}
