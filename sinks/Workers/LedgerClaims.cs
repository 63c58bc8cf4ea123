using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Workers;

/// <summary>A claimed ledger row and the token it was claimed with.</summary>
internal sealed record Claim(LedgerEntry Entry, OwnerToken Owner);

/// <summary>
/// Takes a partition over: writes a fresh owner into the ledger, reads where to go on, and squares that with the log as it is
/// now. A log that ends below is gone back to; a log that begins above is a gap, recorded and told. Runs off the loop.
/// </summary>
internal sealed class LedgerClaims(
    SinkOptions options, ClusterClient cluster, Consumer consumer, ISinkStore store, Guid ledgerId, SinkEnvironment environment, Random random)
{
    private const string MetadataPrefix = "logpipe ledger ";

    private readonly AdminClient _admin = new(cluster);

    /// <summary>What the group's committed offsets carry, so that another ledger is noticed.</summary>
    public string CommitMetadata { get; } = $"{MetadataPrefix}{ledgerId}";

    public async ValueTask<Claim> TakeAsync(TopicPartition partition, CancellationToken cancellation)
    {
        await CheckLedgerAsync(partition, cancellation);
        TopicMetadata topic = await cluster.TopicAsync(partition.Topic, refresh: true, cancellation);
        var log = new LogIdentity(options.Name, cluster.ClusterId, topic.TopicId, partition.Topic, partition.Partition);
        OwnerToken owner = NewOwner();
        LedgerEntry? entry = await store.ClaimAsync(log, owner, cancellation);
        if (entry is null)
        {
            await store.CreateAsync(await StartsAsync(log, topic, cancellation), cancellation);
            entry = await store.ClaimAsync(log, owner, cancellation)
                ?? throw new InvalidOperationException($"the ledger row of {log} was made and is not there");
        }
        return await SquareWithLogAsync(partition, new Claim(entry, owner), cancellation);
    }

    /// <summary>Those of the claims whose ledger row is no longer as they left it, or whose topic is another one of the same name.</summary>
    public async ValueTask<IReadOnlyList<Claim>> ChangedAsync(IReadOnlyList<Claim> held, CancellationToken cancellation)
    {
        IReadOnlyList<LedgerEntry> ledger = await store.ReadLedgerAsync(cancellation);
        var topicIds = new Dictionary<string, Guid>();
        foreach (string? topic in held.Select(claim => claim.Entry.Log.Topic).Distinct())
        {
            topicIds[topic] = (await cluster.TopicAsync(topic, refresh: false, cancellation)).TopicId;
        }
        return [.. held.Where(claim => topicIds[claim.Entry.Log.Topic] != claim.Entry.Log.TopicId
            || !ledger.Any(e => e.Log == claim.Entry.Log && e.Owner == claim.Owner && e.NextOffset == claim.Entry.NextOffset))];
    }

    /// <summary>Whether nobody has claimed the ledger row: it was taken from its owner, as by a rebuild that swapped tables. False where the store does not answer.</summary>
    public async ValueTask<bool> IsFreeAsync(LogIdentity log, CancellationToken cancellation)
    {
        try
        {
            return (await store.ReadLedgerAsync(cancellation)).Any(entry => entry.Log == log && entry.Owner == OwnerToken.Nobody);
        }
        catch (Exception error) when (Waits.IsPassing(error))
        {
            return false;
        }
    }

    /// <summary>A fresh owner token; several claims may run at once.</summary>
    private OwnerToken NewOwner()
    {
        lock (random)
        {
            return OwnerToken.New(random);
        }
    }

    private async Task CheckLedgerAsync(TopicPartition partition, CancellationToken cancellation)
    {
        IReadOnlyDictionary<TopicPartition, CommitPoint> committed = await consumer.CommittedAsync([partition], cancellation);
        if (committed.TryGetValue(partition, out CommitPoint point) && point.Metadata is { } metadata
            && metadata.StartsWith(MetadataPrefix, StringComparison.Ordinal) && metadata != CommitMetadata)
        {
            throw new StoreRefusedException(
                $"sink {options.Name}: its group last wrote with {metadata[8..]}, this {store.Kind} store holds ledger {ledgerId}. "
                + "Point the sink at the store it used before, or give it a new name to fill a new store from the topic's start.");
        }
    }

    /// <summary>
    /// Where unknown logs begin. <c>latest</c> counts for all partitions of a topic at the sink's very first start with it; what
    /// appears later is read from its beginning, or its first lines would be lost.
    /// </summary>
    private async Task<IReadOnlyList<LedgerStart>> StartsAsync(LogIdentity log, TopicMetadata topic, CancellationToken cancellation)
    {
        IReadOnlyList<LedgerEntry> known = await store.ReadLedgerAsync(cancellation);
        bool isFirst = !known.Any(e => e.Log.ClusterId == log.ClusterId && e.Log.Topic == log.Topic);
        if (options.StartFrom != "latest" || !isFirst)
        {
            return [new LedgerStart(log, await OffsetAsync(new TopicPartition(log.Topic, log.Partition), OffsetSpec.Earliest, cancellation))];
        }
        var starts = new List<LedgerStart>();
        foreach (PartitionMetadata partition in topic.Partitions)
        {
            var at = new TopicPartition(log.Topic, partition.Index);
            long first = await OffsetAsync(at, OffsetSpec.Earliest, cancellation);
            long end = await OffsetAsync(at, OffsetSpec.Latest, cancellation);
            starts.Add(new LedgerStart(log with { Partition = partition.Index }, end) { LeftOut = (first, LedgerGap.BeforeStart) });
        }
        return starts;
    }

    private async Task<Claim> SquareWithLogAsync(TopicPartition partition, Claim claim, CancellationToken cancellation)
    {
        (long end, int epoch) = await EndAsync(partition, claim.Entry, cancellation);
        long stored = claim.Entry.NextOffset;
        if (end < stored)
        {
            claim = await MoveAsync(claim, end, epoch, null, cancellation);
            environment.Events.Publish(new TruncationFound(options.Name, Now, claim.Entry.Log, stored, end));
        }
        long start = await OffsetAsync(partition, OffsetSpec.Earliest, cancellation);
        long next = claim.Entry.NextOffset;
        if (start > next)
        {
            var gap = new LedgerGap(claim.Entry.Id, next, start, Now, "the log begins above the next offset");
            claim = await MoveAsync(claim, start, claim.Entry.LeaderEpoch, gap, cancellation);
            environment.Events.Publish(new GapFound(options.Name, Now, claim.Entry.Log, next, start));
        }
        return claim;
    }

    private DateTimeOffset Now => environment.Time.GetUtcNow();

    /// <summary>Where the log ends as far as it is the one that was read: beyond that, other records may stand at our offsets.</summary>
    private async Task<(long End, int Epoch)> EndAsync(TopicPartition partition, LedgerEntry entry, CancellationToken cancellation)
    {
        if (entry.LeaderEpoch >= 0)
        {
            try
            {
                EpochEnd end = await consumer.OffsetForLeaderEpochAsync(partition, entry.LeaderEpoch, cancellation);
                if (end.EndOffset >= 0)
                {
                    return (end.EndOffset, end.LeaderEpoch);
                }
            }
            catch (UnsupportedApiException)
            {
                // An old broker: the log's end is all there is to compare with.
            }
        }
        return (await OffsetAsync(partition, OffsetSpec.Latest, cancellation), entry.LeaderEpoch);
    }

    private async Task<Claim> MoveAsync(Claim claim, long to, int epoch, LedgerGap? gap, CancellationToken cancellation)
    {
        (LedgerEntry? entry, OwnerToken owner) = claim;
        await using ISinkFlush flush = await store.BeginAsync(cancellation);
        if (await flush.UpdateLedgerAsync(new LedgerUpdate(entry.Id, owner, entry.NextOffset, to, epoch), cancellation) != 1)
        {
            await flush.RollbackAsync(cancellation);
            throw new OwnershipLostException(entry.Log);
        }
        if (gap is { } found)
        {
            await flush.WriteGapAsync(found, cancellation);
        }
        await flush.CommitAsync(cancellation);
        return claim with { Entry = entry with { NextOffset = to, LeaderEpoch = epoch } };
    }

    private async Task<long> OffsetAsync(TopicPartition partition, OffsetSpec spec, CancellationToken cancellation) =>
        (await _admin.OffsetAsync(partition, spec, cancellation)).Offset;
}
