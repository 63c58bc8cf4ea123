using LogPipeline.Client;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Workers;

/// <summary>Claims of partitions in the ledger: each runs beside the loop and posts its result to the inbox, where the loop takes it.</summary>
internal sealed partial class SinkLoop
{
    /// <summary>The ledger was restored from a backup, or another owner took the log: as after a flush that found that.</summary>
    private void OnLedgerChanged(PartitionSink sink, Claim claim)
    {
        if (!IsCurrent(sink) || !ReferenceEquals(sink.Claim, claim) || sink.IsFlushing)
        {
            return;
        }
        SinkLog.ClaimingAgain(environment.Logger, options.Name, sink.Partition, "its ledger row or its topic is not as it was left");
        StartClaim(sink, RivalDelay + patience.Delay(0));
    }

    /// <summary>The log is not as the claim left it; a flush under way ends first.</summary>
    private void ClaimAgain(TopicPartition partition, string reason)
    {
        if (!_partitions.TryGetValue(partition, out PartitionSink? sink) || sink.Claim is null)
        {
            return;
        }
        SinkLog.ClaimingAgain(environment.Logger, options.Name, partition, reason);
        StartClaim(sink, patience.Delay(3));
    }

    private void StartClaim(PartitionSink sink, TimeSpan delay)
    {
        _buffers.Discard(sink);
        _reports.Forget(sink.Partition);
        sink.Claim = null;
        consumer.Pause(sink.Partition);
        sink.Work = ClaimAsync(sink, sink.Work, delay);
    }

    private async Task ClaimAsync(PartitionSink sink, Task before, TimeSpan delay)
    {
        try
        {
            await before;
            if (delay > TimeSpan.Zero)
            {
                await Task.Delay(delay, environment.Time, sink.Released);
            }
            Claim claim = await patience.WaitForAsync(cancellation => claims.TakeAsync(sink.Partition, cancellation), sink.Released);
            _inbox.Post(() => OnClaimed(sink, claim));
        }
        catch (OperationCanceledException) when (sink.Released.IsCancellationRequested)
        {
            // Revoked, or the process ends.
        }
        catch (OwnershipLostException)
        {
            _inbox.Post(() => StartClaimIfCurrent(sink, RivalDelay));
        }
        catch (Exception error)
        {
            _inbox.Post(() => _fatal ??= error);
        }
    }

    private void StartClaimIfCurrent(PartitionSink sink, TimeSpan delay)
    {
        if (IsCurrent(sink))
        {
            StartClaim(sink, delay);
        }
    }

    private void OnClaimed(PartitionSink sink, Claim claim)
    {
        if (!IsCurrent(sink))
        {
            return;
        }
        if (sink.Failures == 0)
        {
            patience.OnWorking();
        }
        _buffers.Discard(sink);
        sink.Claim = claim;
        sink.NextOffset = claim.Entry.NextOffset;
        sink.LeaderEpoch = claim.Entry.LeaderEpoch;
        // The last report may have been lost, and a quiet partition has no flush that would send another. A ledger that stored nothing
        // yet stays unnamed: until then the sink may still be pointed at another store.
        if (sink.LeaderEpoch >= 0)
        {
            _reports.Add(sink.Partition, sink.NextOffset, sink.LeaderEpoch);
        }
        SinkLog.Claimed(environment.Logger, options.Name, sink.Partition, sink.NextOffset);
        consumer.Seek(sink.Partition, sink.NextOffset, sink.LeaderEpoch);
        consumer.Resume(sink.Partition);
    }
}
