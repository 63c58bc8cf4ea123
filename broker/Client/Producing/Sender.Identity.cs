using LogPipeline.Client.Metadata;

namespace LogPipeline.Client.Producing;

/// <summary>The producer id, and what the broker has stored under it.</summary>
internal sealed partial class Sender
{
    /// <summary>
    /// Sets the queue's producer id to the producer's current one. If this queue has used up the epochs of that id, asks for a new one,
    /// which all queues adopt in time.
    /// </summary>
    private void AdoptIdentity(PartitionQueue queue)
    {
        bool ask = false;
        lock (_gate)
        {
            if (_identity is { } identity && identity.ProducerId != queue.SpentProducerId)
            {
                queue.Adopt(identity);
                return;
            }
            ask = !_isAskingIdentity;
            _isAskingIdentity = true;
        }
        if (ask)
        {
            Run(AskIdentityAsync());
        }
    }

    private async Task AskIdentityAsync()
    {
        try
        {
            ProducerIdentity identity = await _cluster.NewProducerIdAsync(_closed.Token);
            lock (_gate)
            {
                _identity = identity;
            }
        }
        catch (OperationCanceledException) when (_closed.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e) when (DeadlineRetry.IsTransient(e))
        {
            // Asked again as long as something waits for it.
        }
        catch (Exception e)
        {
            Stop(e);
            return;
        }
        lock (_gate)
        {
            _isAskingIdentity = false;
        }
        _wake.Set();
    }

    private async Task InquireAsync(PartitionQueue queue, ProducerIdentity identity)
    {
        Exception? failure = null;
        ActiveProducer? known = null;
        BrokerEndpoint leader = default;
        try
        {
            (known, leader) = await _cluster.ProducerAsync(queue.Partition, identity.ProducerId, _closed.Token);
        }
        catch (OperationCanceledException) when (_closed.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e)
        {
            failure = e;
        }
        lock (queue.Gate)
        {
            queue.IsInquiring = false;
            if (failure is null)
            {
                queue.Inquired(known, leader);
            }
            else if (!DeadlineRetry.IsTransient(failure))
            {
                _resolver.InquiryFailed(queue, failure);
            }
        }
        _wake.Set();
    }
}
