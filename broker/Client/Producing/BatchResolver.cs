using LogPipeline.Client.Metadata;
using LogPipeline.Client.Telemetry;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Client.Producing;

/// <summary>
/// What an answer means for a batch. Called under the queue's lock; deliveries are collected and told after it is released.
/// <code>
/// 0, 46                      delivered (46: stored before, its offset forgotten)
/// retriable, broken          recover: resend in order under the same sequence
/// 45, 59                     ours is not what the broker expects: behind an unresolved batch simply recover, else ask it what it has,
///                            and send the last of that again, whose ack is that of all before it
/// 10, more than one record   halves, under the same sequences
/// anything else              failed for good; what follows begins a new epoch, since its sequences now have a hole before them
/// </code>
/// </summary>
internal sealed class BatchResolver(ProducerOptions options, ClusterClient cluster, BuilderPool builders, ByteBudget budget)
{
    private readonly List<(ProducerBatch Batch, TopicPartition Partition, long Offset, long AppendTime, Exception? Failure)> _ended = [];
    private readonly Lock _gate = new();
    private bool _isTelling;

    public void Answered(PartitionQueue queue, ProducerBatch batch, ErrorCode code, string? message, long offset, long appendTime)
    {
        batch.IsInFlight = false;
        switch (code)
        {
            case ErrorCode.None:
                queue.Writer.Proven();
                Acked(queue, batch, options.Acks == Acks.None ? -1 : offset, appendTime);
                break;
            case ErrorCode.DuplicateSequenceNumber:
            case ErrorCode.OutOfOrderSequenceNumber when queue.Writer.ResumesAt(batch): // it has them, of a batch that we have halved since
                Acked(queue, batch, -1, -1);
                break;
            case ErrorCode.OutOfOrderSequenceNumber or ErrorCode.UnknownProducerId when options.Idempotent:
                queue.NeedsInquiry |= queue.Writer.First == batch;
                Retry(queue, batch, Refusal(queue, code, message));
                break;
            case ErrorCode.MessageTooLarge when batch.Count > 1:
                Halve(queue, batch);
                break;
            case var _ when code.IsRetriable():
                // The broker may have stored it before these.
                batch.IsAmbiguous |= code is ErrorCode.RequestTimedOut or ErrorCode.NotEnoughReplicasAfterAppend or ErrorCode.NetworkException;
                cluster.Invalidate(queue.Partition.Topic);
                Retry(queue, batch, Refusal(queue, code, message));
                break;
            default:
                foreach (ProducerBatch unknown in queue.Writer.AckedBy(batch))
                {
                    GiveUp(queue, unknown, Refusal(queue, code, message));
                }
                break;
        }
    }

    /// <summary>The connection broke: nobody knows.</summary>
    public void Broken(PartitionQueue queue, ProducerBatch batch, Exception reason)
    {
        batch.IsInFlight = false;
        batch.IsAmbiguous = true;
        cluster.Invalidate(queue.Partition.Topic);
        Retry(queue, batch, reason);
    }

    /// <summary>The broker cannot say what it has: a batch that it may have is failed, since sending it again could store it twice.</summary>
    public void InquiryFailed(PartitionQueue queue, Exception reason)
    {
        queue.NeedsInquiry = false;
        foreach (ProducerBatch batch in queue.Writer.Unresolved.Where(b => b.IsAmbiguous).ToList())
        {
            GiveUp(queue, batch, reason);
        }
        queue.NeedsNewEpoch = true;
    }

    /// <summary>Fails what is overdue and not in flight.</summary>
    public void Expire(PartitionQueue queue, long now)
    {
        foreach (ProducerBatch batch in queue.Writer.Unresolved.Where(b => !b.IsInFlight && IsOverdue(b, now)).ToList())
        {
            GiveUp(queue, batch, Overdue(queue, batch));
        }
        while (queue.Waiting.TryPeek(out ProducerBatch? waiting) && IsOverdue(waiting, now))
        {
            queue.Waiting.Dequeue();
            End(queue, waiting, -1, -1, Overdue(queue, waiting));
        }
    }

    /// <summary>Fails everything that is not in flight.</summary>
    public void FailAll(PartitionQueue queue, Exception reason)
    {
        queue.CloseOpen();
        foreach (ProducerBatch batch in queue.Writer.Unresolved.Where(b => !b.IsInFlight).Concat(queue.Waiting).ToList())
        {
            End(queue, batch, -1, -1, reason);
        }
        queue.Waiting.Clear();
    }

    public long DeadlineOf(ProducerBatch batch) => batch.CreatedAt + (long)(options.DeliveryTimeout.TotalSeconds * cluster.Time.TimestampFrequency);

    /// <summary>Tells the deliveries, in order, by one caller at a time. Without any queue's lock.</summary>
    public void Tell()
    {
        lock (_gate)
        {
            if (_isTelling)
            {
                return;
            }
            _isTelling = true;
        }
        while (true)
        {
            (ProducerBatch batch, TopicPartition partition, long offset, long appendTime, Exception? failure) ended;
            lock (_gate)
            {
                if (_ended.Count == 0)
                {
                    _isTelling = false;
                    return;
                }
                ended = _ended[0];
                _ended.RemoveAt(0);
            }
            Tell(ended.batch, ended.partition, ended.offset, ended.appendTime, ended.failure);
        }
    }

    private void Tell(ProducerBatch batch, TopicPartition partition, long offset, long appendTime, Exception? failure)
    {
        (failure is null ? ClientMetrics.RecordsDelivered : ClientMetrics.RecordsFailed).Add(batch.Count);
        for (int i = 0; i < batch.Deliveries.Count; i++)
        {
            Delivery delivery = batch.Deliveries[i];
            if (failure is null)
            {
                delivery.Succeed(new DeliveryResult(partition, offset < 0 ? -1 : offset + i, appendTime >= 0 ? appendTime : delivery.Timestamp));
            }
            else
            {
                delivery.Fail(partition, failure);
            }
        }
        for (ProducerBatch? part = batch; part is not null && part.EndPart(); part = part.Whole)
        {
            builders.Return(part.Builder);
            budget.Return(part.Reserved);
            ClientMetrics.BufferedBytes.Add(-part.Reserved);
        }
    }

    private void Acked(PartitionQueue queue, ProducerBatch batch, long offset, long appendTime)
    {
        foreach (ProducerBatch acked in queue.Writer.AckedBy(batch))
        {
            End(queue, acked, acked == batch ? offset : -1, acked == batch ? appendTime : -1, null);
        }
    }

    private void End(PartitionQueue queue, ProducerBatch batch, long offset, long appendTime, Exception? failure)
    {
        queue.Writer.Resolve(batch);
        lock (_gate)
        {
            _ended.Add((batch, queue.Partition, offset, appendTime, failure));
        }
    }

    private void Retry(PartitionQueue queue, ProducerBatch batch, Exception reason)
    {
        ClientMetrics.BatchRetries.Add(1);
        batch.LastFailure = reason;
        TimeSpan delay = cluster.Options.BackOff.Delay(batch.Attempts - 1, cluster.Random.NextDouble());
        queue.Retry(batch, cluster.Time.GetTimestamp() + (long)(delay.TotalSeconds * cluster.Time.TimestampFrequency));
    }

    /// <summary>Ends a batch that has a sequence without knowing that it is stored.</summary>
    private void GiveUp(PartitionQueue queue, ProducerBatch batch, Exception reason)
    {
        End(queue, batch, -1, -1, reason);
        queue.Writer.Recover();
        queue.NeedsNewEpoch = options.Idempotent;
    }

    private void Halve(PartitionQueue queue, ProducerBatch batch)
    {
        (ProducerBatch first, ProducerBatch second) = batch.Split(builders.Take(), builders.Take());
        if (options.Idempotent && queue.Writer.Identity is { } identity)
        {
            first.Stamp(identity.ProducerId, identity.Epoch, batch.BaseSequence);
            second.Stamp(identity.ProducerId, identity.Epoch, RecordBatch.Sequence(batch.BaseSequence, first.Count));
        }
        queue.Writer.Replace(batch, first, second);
        queue.Writer.Recover();
    }

    private bool IsOverdue(ProducerBatch batch, long now) => DeadlineOf(batch) <= now;

    private DeliveryTimeoutException Overdue(PartitionQueue queue, ProducerBatch batch) => new(
        $"{queue.Partition}: {batch.Count} records not delivered within {options.DeliveryTimeout.TotalSeconds:0.###} s"
        + (batch.LastFailure is { } last ? $", last: {last.Message}" : ""));

    private static BrokerErrorException Refusal(PartitionQueue queue, ErrorCode code, string? message) => new(code, $"producing to {queue.Partition}: {message ?? code.ToString()}");
}
