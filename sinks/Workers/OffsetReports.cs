using LogPipeline.Client;
using LogPipeline.Client.Consuming;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// Tells the group how far the ledger is, for lag displays; nothing depends on it, so a failure is noted and the next commit
/// tells all again. Owned by the loop; at most one commit is under way.
/// </summary>
internal sealed class OffsetReports(string sink, Consumer consumer, string metadata, SinkEnvironment environment)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly SortedDictionary<TopicPartition, CommitPoint> _points = [];
    private bool _isNews;
    private Task _committing = Task.CompletedTask;
    private long _committedAt;

    private bool HasNews => _isNews && _points.Count > 0;

    public void Add(TopicPartition partition, long nextOffset, int leaderEpoch)
    {
        _points[partition] = new CommitPoint(nextOffset, leaderEpoch, metadata);
        _isNews = true;
    }

    /// <summary>Another member reports for it from now on.</summary>
    public void Forget(TopicPartition partition) => _points.Remove(partition);

    /// <summary>Starts a commit when one is due.</summary>
    public void Send(CancellationToken cancellation)
    {
        if (!HasNews || !_committing.IsCompleted || environment.Time.GetElapsedTime(_committedAt) < Interval)
        {
            return;
        }
        _committedAt = environment.Time.GetTimestamp();
        _committing = SendAsync(cancellation);
    }

    /// <summary>Sends what is left.</summary>
    public async Task FinishAsync(CancellationToken cancellation)
    {
        await _committing;
        if (HasNews)
        {
            await SendAsync(cancellation);
        }
    }

    private async Task SendAsync(CancellationToken cancellation)
    {
        _isNews = false;
        try
        {
            await consumer.CommitAsync(new SortedDictionary<TopicPartition, CommitPoint>(_points), cancellation);
        }
        catch (Exception error) when (Patience.IsWorthWaiting(error) || error is OperationCanceledException)
        {
            // A partition may be quiet from now on: its lag would stay on display.
            _isNews = true;
            SinkLog.OffsetsNotCommitted(environment.Logger, sink, error.Message);
        }
    }
}
