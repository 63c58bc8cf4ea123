using System.Collections.Immutable;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// Asks now and then where the logs end that nothing is fetched from, such as those of partitions that a person paused: fetches tell it of all others, and
/// without an answer their lag would stand still.
/// </summary>
internal sealed class LogEnds(AdminClient admin, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private ImmutableDictionary<TopicPartition, LogEnd> _ends = ImmutableDictionary<TopicPartition, LogEnd>.Empty;

    /// <summary>Null where the partition is fetched from, or was not asked for yet. Any thread may ask.</summary>
    public LogEnd? Of(TopicPartition partition) => Volatile.Read(ref _ends).GetValueOrDefault(partition);

    /// <summary>Runs until cancelled.</summary>
    /// <param name="partitions">Returns those that the sink has now.</param>
    public async Task RunAsync(Func<IEnumerable<PartitionLoop>> partitions, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Interval, time, stop);
                Volatile.Write(ref _ends, await AskAsync(partitions().Where(static partition => !partition.Feed.IsPolled), stop));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The sink ends.
        }
    }

    private async Task<ImmutableDictionary<TopicPartition, LogEnd>> AskAsync(IEnumerable<PartitionLoop> partitions, CancellationToken stop)
    {
        ImmutableDictionary<TopicPartition, LogEnd>.Builder ends = ImmutableDictionary.CreateBuilder<TopicPartition, LogEnd>();
        foreach (PartitionLoop partition in partitions)
        {
            LogEnd? before = Of(partition.Partition);
            try
            {
                long end = (await admin.OffsetAsync(partition.Partition, OffsetSpec.Latest, stop)).Offset;
                long? since = end > partition.StoredUpTo ? before?.BehindSince ?? time.GetUtcNow().ToUnixTimeMilliseconds() : null;
                ends[partition.Partition] = new LogEnd(end, since);
            }
            catch (Exception error) when (Waits.IsPassing(error))
            {
                if (before is not null)
                {
                    ends[partition.Partition] = before; // asked again soon
                }
            }
        }
        return ends.ToImmutable();
    }
}

/// <summary>Where a log ends that nothing is fetched from.</summary>
/// <param name="Offset">That of the next record.</param>
/// <param name="BehindSince">When records were first seen there that are not stored, milliseconds since 1970: they are at least so old; null = there are none.</param>
internal sealed record LogEnd(long Offset, long? BehindSince);
