using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Groups;
using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Broker.Topics;
using LogPipeline.Storage;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Maintenance;

/// <summary>
/// Bounds __consumer_offsets, which no limit may shorten. A pass over one of its partitions appends what is kept of each group once
/// more; when all of that is durable, the log begins where the pass began, and the closed segments below go. A group that is busy is
/// left to the next round. A pass begins when closed segments hold twice what the last one wrote, so its cost stays a part of what the
/// commits cost. Not for several threads.
/// </summary>
internal sealed class OffsetsRewrite(DataDirectory directory, TopicRegistry topics, GroupCoordinator groups, ILogger logger)
{
    private readonly Dictionary<int, Pass> _passes = []; // under way, by partition
    private readonly Dictionary<int, long> _written = []; // bytes of each partition's last pass

    /// <summary>Begins passes that are due and goes on with those under way.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        IReadOnlyList<Partition> partitions = topics.Find(TopicName.Offsets)?.Partitions ?? [];
        foreach (Partition partition in partitions)
        {
            try
            {
                if (partition.Log is { OfflineReason: null } log && groups.IsRead(partition.Number) && PassOf(partition.Number, partitions.Count, log) is { } pass)
                {
                    await GoOnAsync(partition, log, pass, cancellation);
                }
            }
            catch (IOException e)
            {
                logger.RewriteRefused(e, partition.Topic, partition.Number);
            }
        }
    }

    private Pass? PassOf(int partition, int partitions, PartitionLog log)
    {
        if (_passes.TryGetValue(partition, out Pass? pass))
        {
            return pass;
        }
        long closed = log.Segments().Where(static segment => !segment.IsActive).Sum(static segment => segment.SizeBytes);
        if (closed == 0 || closed < 2 * _written.GetValueOrDefault(partition))
        {
            return null;
        }
        // The end first, then the groups: whatever lies below the end is of one of these groups, or of one that is gone.
        long end = log.LogEndOffset;
        pass = new Pass { StartOffset = end, EndOffset = end, Left = [.. groups.Of(partition, partitions)] };
        _passes.Add(partition, pass);
        return pass;
    }

    private async Task GoOnAsync(Partition partition, PartitionLog log, Pass pass, CancellationToken cancellation)
    {
        long sizeBefore = log.SizeBytes;
        pass.Left.RemoveAll(entry => TryRewrite(entry, pass));
        pass.Bytes += log.SizeBytes - sizeBefore;
        if (pass.Left.Count > 0)
        {
            return;
        }
        await (log.Options.Flush == FlushPolicy.Os
            ? partition.CommittedAsync(pass.EndOffset, cancellation)
            : log.FlushedAsync(pass.EndOffset, cancellation));
        _passes.Remove(partition.Number);
        _written[partition.Number] = pass.Bytes;
        long freed = directory.DeleteRecords([(log, pass.StartOffset)])[0];
        logger.OffsetsRewritten(partition.Topic, partition.Number, pass.StartOffset, freed);
    }

    private static bool TryRewrite((Group Group, GroupOffsets Offsets) entry, Pass pass)
    {
        bool isDone = entry.Group.TryRewrite(entry.Offsets, out OffsetsPosition? position);
        pass.EndOffset = position?.EndOffset ?? pass.EndOffset;
        return isDone;
    }

    /// <summary>A pass under way.</summary>
    private sealed class Pass
    {
        /// <summary>The partition's log begins here when the pass is done.</summary>
        public required long StartOffset { get; init; }

        /// <summary>What was appended ends here.</summary>
        public required long EndOffset { get; set; }

        /// <summary>The groups that are not done: all at first, then those that were busy.</summary>
        public required List<(Group Group, GroupOffsets Offsets)> Left { get; init; }

        /// <summary>How many bytes the log has grown by meanwhile.</summary>
        public long Bytes { get; set; }
    }
}
