using LogPipeline.Client;
using LogPipeline.Client.Consuming;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// Tells the group how far the ledger is, for lag displays; nothing depends on it, so failures are noted and forgotten. Owned by
/// the loop; at most one commit is under way.
/// </summary>
internal sealed class OffsetReports(string sink, Consumer consumer, string metadata, SinkEnvironment environment)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private SortedDictionary<TopicPartition, CommitPoint> _points = [];
    private Task _committing = Task.CompletedTask;
    private long _committedAt;

    public void Add(TopicPartition partition, long nextOffset, int leaderEpoch) =>
        _points[partition] = new CommitPoint(nextOffset, leaderEpoch, metadata);

    /// <summary>Starts a commit when one is due.</summary>
    public void Send(CancellationToken cancellation)
    {
        if (_points.Count == 0 || !_committing.IsCompleted || environment.Time.GetElapsedTime(_committedAt) < Interval)
            return;
        _committedAt = environment.Time.GetTimestamp();
        _committing = SendAsync(cancellation);
    }

    /// <summary>Sends what is left.</summary>
    public async Task FinishAsync(CancellationToken cancellation)
    {
        await _committing;
        if (_points.Count > 0)
            await SendAsync(cancellation);
    }

    private async Task SendAsync(CancellationToken cancellation)
    {
        var points = _points;
        _points = [];
        try
        {
            await consumer.CommitAsync(points, cancellation);
        }
        catch (Exception error) when (Patience.IsWorthWaiting(error) || error is OperationCanceledException)
        {
            SinkLog.OffsetsNotCommitted(environment.Logger, sink, error.Message);
        }
    }
}
