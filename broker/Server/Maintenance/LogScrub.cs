using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Broker.Topics;
using LogPipeline.Storage;
using LogPipeline.Storage.Verification;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Maintenance;

// A disk forgets bits of what nobody reads. The scrub reads it, at a rate that nobody notices: a step, then a wait that makes up for it.
/// <summary>
/// Reads all segments again and again, the active one as far as it is durable, at most log.scrub.bytes.per.second, and checks every batch. A damaged one is told and not
/// served from then on. Segments that had damage before a restart come first.
/// </summary>
internal sealed class LogScrub(TopicRegistry topics, BrokerSettings settings, TimeProvider time, BrokerTelemetry telemetry, ILogger logger, Action<Exception> onFatal) : IDisposable
{
    private const int StepBytes = 256 << 10;

    private static readonly TimeSpan FirstWait = TimeSpan.FromMinutes(1); // a start has other things to do
    private static readonly TimeSpan Pause = TimeSpan.FromHours(1); // between two passes; a small directory is not read all the time

    private readonly BackgroundLoop _loop = new(onFatal);

    public void Start() => _loop.Start(RunAsync);

    /// <summary>Ends the loop; returns when no step is under way.</summary>
    public Task CloseAsync() => _loop.CloseAsync();

    /// <summary>Ends the loop, without waiting for the step that may be under way.</summary>
    public void Dispose() => _loop.Dispose();

    private async Task RunAsync(CancellationToken stop)
    {
        await Task.Delay(FirstWait, time, stop);
        while (true)
        {
            await PassAsync(stop);
            await Task.Delay(Pause, time, stop);
        }
    }

    /// <summary>One pass over all segments, with log.scrub.bytes.per.second=0 over none.</summary>
    internal async Task PassAsync(CancellationToken stop)
    {
        PartitionLog[] logs = [.. topics.All.SelectMany(static topic => topic.Partitions).Select(static partition => partition.Log).OfType<PartitionLog>()];
        foreach (PartitionLog log in logs.OrderByDescending(static log => log.DamagedBatches.Count > 0))
        {
            foreach (long segment in log.SegmentsToScrub)
            {
                if (settings.ScrubBytesPerSecond == 0)
                {
                    return;
                }
                await SegmentAsync(log, segment, stop);
            }
        }
    }

    private async Task SegmentAsync(PartitionLog log, long segment, CancellationToken stop)
    {
        try
        {
            using SegmentScrub? scrub = log.OfflineReason is null ? log.Scrub(segment) : null;
            while (scrub?.Step(StepBytes) is > 0 and long bytes)
            {
                telemetry.Scrubbed(bytes);
                await Task.Delay(TimeSpan.FromSeconds(bytes / (double)Math.Max(1, settings.ScrubBytesPerSecond)), time, stop);
            }
        }
        catch (FileNotFoundException)
        {
            // Retention removed the segment meanwhile.
        }
        catch (IOException e)
        {
            logger.ScrubRefused(e, log.Topic, log.Partition, segment);
        }
    }
}
