using LogPipeline.Protocol.Records;
using LogPipeline.Simulation.Kernel;

namespace LogPipeline.Simulation.Checks;

/// <summary>
/// What the broker has promised: batches it acked, offsets it showed. Each must be on its disk ever after, unless a fault that
/// says so took the end of the log.
/// </summary>
internal sealed class AckLedger(World world)
{
    private readonly Dictionary<int, SortedDictionary<long, BatchKey>> _acked = [];
    private readonly Dictionary<int, long> _shown = [];
    private readonly Dictionary<int, long> _starts = []; // below, retention has removed what was there

    public int AckedCount { get; private set; }

    /// <summary>Counts the topics that had the name, so that an answer on its way when one was deleted is not taken for the next one's.</summary>
    public int TopicNumber { get; private set; }

    public void Acked(int partition, long baseOffset, BatchKey batch)
    {
        AckedCount++;
        if (baseOffset < StartOf(partition))
        {
            return; // gone before its ack was on its way
        }
        if (!_acked.TryGetValue(partition, out SortedDictionary<long, BatchKey>? acked))
        {
            _acked[partition] = acked = [];
        }
        if (!acked.TryAdd(baseOffset, batch) && acked[baseOffset] != batch)
        {
            world.Fail("an acked batch stays", $"partition {partition}: offset {baseOffset} was acked for {acked[baseOffset]} and for {batch}");
        }
    }

    public void Shown(int partition, long endOffset) => _shown[partition] = Math.Max(endOffset, _shown.GetValueOrDefault(partition));

    /// <summary>A client was sent a batch of bytes that may not be what was written.</summary>
    public void ShownBatch(int partition, long baseOffset, bool isSound)
    {
        if (!isSound)
        {
            world.Fail("what is shown is sound", $"partition {partition}: the batch shown at offset {baseOffset} is damaged");
        }
    }

    /// <summary>The fault "tail lost" took all from an offset on.</summary>
    public void Forget(int partition, long from)
    {
        if (_acked.TryGetValue(partition, out SortedDictionary<long, BatchKey>? acked))
        {
            foreach (long lost in acked.Keys.Where(offset => offset >= from).ToArray())
            {
                acked.Remove(lost);
            }
        }
        if (_shown.GetValueOrDefault(partition) > from)
        {
            _shown[partition] = from;
        }
    }

    /// <summary>Where a partition's log must begin: what retention had removed stays removed.</summary>
    public long StartOf(int partition) => _starts.GetValueOrDefault(partition);

    /// <summary>Where a partition's log ends.</summary>
    public long EndOf(int partition, IReadOnlyList<StoredBatch> stored) => stored.Count == 0 ? StartOf(partition) : stored[^1].Header.NextOffset;

    /// <summary>Retention removes all below an offset, as it may.</summary>
    public void Removed(int partition, long endOffset)
    {
        if (endOffset <= StartOf(partition))
        {
            return;
        }
        _starts[partition] = endOffset;
        if (_acked.TryGetValue(partition, out SortedDictionary<long, BatchKey>? acked))
        {
            foreach (long gone in acked.Keys.TakeWhile(offset => offset < endOffset).ToArray())
            {
                acked.Remove(gone);
            }
        }
    }

    /// <summary>The topic was deleted: nothing of it was promised to stay.</summary>
    public void Clear()
    {
        _acked.Clear();
        _shown.Clear();
        _starts.Clear();
        TopicNumber++;
    }

    /// <summary>Holds what is on the disk against what was promised.</summary>
    public void Check(int partition, IReadOnlyList<StoredBatch> stored)
    {
        long next = stored.Count == 0 ? StartOf(partition) : stored[0].Header.BaseOffset;
        if (next < StartOf(partition))
        {
            world.Fail("what was removed stays removed", $"partition {partition} begins at offset {next}, all below {StartOf(partition)} was removed");
            return;
        }
        int epoch = -1;
        var there = new Dictionary<long, BatchKey>(stored.Count);
        foreach (StoredBatch batch in stored)
        {
            if (batch.Header.BaseOffset != next)
            {
                world.Fail("offsets have no gap", $"partition {partition}: offset {batch.Header.BaseOffset} follows {next - 1}");
                return;
            }
            if (batch.Header.LeaderEpoch < epoch)
            {
                world.Fail("the leader epoch rises", $"partition {partition}: epoch {batch.Header.LeaderEpoch} follows {epoch} at {next}");
                return;
            }
            epoch = batch.Header.LeaderEpoch;
            next = batch.Header.NextOffset;
            there[batch.Header.BaseOffset] = BatchKey.Of(batch.Header);
        }
        foreach ((long offset, BatchKey batch) in _acked.GetValueOrDefault(partition) ?? [])
        {
            if (!there.TryGetValue(offset, out BatchKey found))
            {
                world.Fail("an acked batch stays", $"partition {partition}: the batch acked at offset {offset} is gone; the log ends at {next}");
                return;
            }
            if (found != batch)
            {
                world.Fail("an acked batch stays", $"partition {partition}: at offset {offset} is {found}, acked was {batch}");
                return;
            }
        }
        if (_shown.GetValueOrDefault(partition) > next)
        {
            world.Fail("what was shown stays", $"partition {partition}: offset {_shown[partition] - 1} was fetched and is gone; the log ends at {next}");
        }
    }
}

/// <summary>What tells one idempotent batch from another; a repeat may differ in its timestamps.</summary>
internal readonly record struct BatchKey(long ProducerId, short Epoch, int BaseSequence, int RecordCount)
{
    public static BatchKey Of(in BatchHeader header) => new(header.ProducerId, header.ProducerEpoch, header.BaseSequence, header.RecordCount);
}
