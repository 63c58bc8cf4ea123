using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Workers;

/// <summary>Flushes: each runs beside the loop and posts its result to the inbox, where the loop takes it.</summary>
internal sealed partial class SinkLoop
{
    private void StartFlushes(bool all)
    {
        foreach (PartitionSink sink in _partitions.Values)
        {
            if (!sink.HasNews)
            {
                continue;
            }
            if (all || _buffers.IsDue(sink) || environment.Time.GetElapsedTime(sink.FlushedAt) >= options.Flush.Interval)
            {
                StartFlush(sink);
            }
        }
    }

    private void StartFlush(PartitionSink sink)
    {
        FlushWork work = _buffers.Take(sink);
        sink.IsFlushing = true;
        sink.FlushedAt = environment.Time.GetTimestamp();
        sink.Work = FlushAsync(sink, work);
    }

    private async Task FlushAsync(PartitionSink sink, FlushWork work)
    {
        try
        {
            await flusher.FlushAsync(work, _abandoned.Token);
            _inbox.Post(() => OnFlushed(sink, work));
        }
        catch (OwnershipLostException)
        {
            SinkMeter.LostClaims.Add(1, new KeyValuePair<string, object?>("sink", options.Name));
            _inbox.Post(() => OnNotFlushed(sink, work, RivalDelay + patience.Delay(0)));
        }
        catch (StoreUnavailableException error)
        {
            _inbox.Post(() => OnUnavailable(sink, work, error));
        }
        catch (OperationCanceledException) when (_abandoned.IsCancellationRequested)
        {
            // The process ends; the transaction was not committed or its outcome is read at the next start.
        }
        catch (Exception error)
        {
            _inbox.Post(() => _fatal ??= error);
        }
    }

    private void OnFlushed(PartitionSink sink, FlushWork work)
    {
        patience.OnWorking();
        sink.IsFlushing = false;
        sink.Failures = 0;
        SinkLog.Flushed(environment.Logger, options.Name, sink.Partition, work.Rows.Count, work.NextOffset);
        _buffers.PutBack(work.Rows);
        if (!IsCurrent(sink) || !ReferenceEquals(sink.Claim, work.Claim))
        {
            return;
        }
        sink.Claim = work.Claim with { Entry = work.Claim.Entry with { NextOffset = work.NextOffset, LeaderEpoch = work.LeaderEpoch } };
        _reports.Add(sink.Partition, work.NextOffset, work.LeaderEpoch);
    }

    /// <summary>The flush failed and the outcome may be unknown: the ledger says, once it is claimed again.</summary>
    private void OnUnavailable(PartitionSink sink, FlushWork work, StoreUnavailableException error)
    {
        TimeSpan delay = sink.Failures == 0 ? TimeSpan.Zero : patience.Delay(sink.Failures);
        sink.Failures++;
        patience.OnWaiting(error, delay);
        OnNotFlushed(sink, work, delay);
    }

    private void OnNotFlushed(PartitionSink sink, FlushWork work, TimeSpan delay)
    {
        _buffers.PutBack(work.Rows);
        sink.IsFlushing = false;
        if (!IsCurrent(sink) || !ReferenceEquals(sink.Claim, work.Claim))
        {
            return;
        }
        if (delay >= RivalDelay)
        {
            SinkLog.OwnershipLost(environment.Logger, options.Name, sink.Partition, delay);
        }
        StartClaim(sink, delay);
    }
}
