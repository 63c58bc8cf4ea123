using LogPipeline.Client.Metadata;

namespace LogPipeline.Client.Producing;

/// <summary>Finding the leaders and connecting to them, beside the loop: one that is away holds up its own partitions only.</summary>
internal sealed partial class Sender
{
    /// <summary>Leaders that are being connected to, each on behalf of a topic; and topics, without one, whose leaders are being looked for. Under <c>_gate</c>.</summary>
    private readonly HashSet<(string Topic, BrokerEndpoint? Leader)> _reaching = [];

    private void Reach(string topic, BrokerEndpoint? leader)
    {
        lock (_gate)
        {
            if (!_reaching.Add((topic, leader)))
            {
                return;
            }
        }
        Run(ReachAsync(topic, leader));
    }

    /// <summary>Connects to a leader of the topic; null: looks for those that its partitions lack.</summary>
    private async Task ReachAsync(string topic, BrokerEndpoint? leader)
    {
        bool isReached = false;
        try
        {
            if (leader is { } known)
            {
                isReached = await ConnectAsync(topic, known);
            }
            else
            {
                await _cluster.TopicAsync(topic, refresh: true, _closed.Token);
            }
        }
        catch (OperationCanceledException) when (_closed.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e) when (DeadlineRetry.IsTransient(e) || e is BrokerErrorException)
        {
            // Tried again until the batches' own time is up.
        }
        catch (Exception e)
        {
            Stop(e);
            return;
        }
        if (!isReached)
        {
            // What was learnt is of use before the pause is over. It may still lack a leader, or the partition itself.
            _wake.Set();
            if (!await PauseAsync())
            {
                return;
            }
        }
        lock (_gate)
        {
            _reaching.Remove((topic, leader));
        }
        _wake.Set();
    }

    private async Task<bool> ConnectAsync(string topic, BrokerEndpoint leader)
    {
        try
        {
            await _cluster.ConnectAsync(leader, _lane, _closed.Token);
            return true;
        }
        catch (Exception e) when (DeadlineRetry.IsTransient(e))
        {
            // It may lead no more. The topic stays in the cache meanwhile, for the partitions that others lead.
            await _cluster.TopicAsync(topic, refresh: true, _closed.Token);
            return false;
        }
    }

    /// <summary>Waits before a retry; false when the producer was closed meanwhile.</summary>
    private async ValueTask<bool> PauseAsync()
    {
        try
        {
            await Task.Delay(_cluster.Options.RetryDelay * (1 + _cluster.Random.NextDouble()), _cluster.Time, _closed.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
