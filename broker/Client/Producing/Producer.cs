using System.Buffers;
using System.Text;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Telemetry;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Client.Producing;

/// <summary>
/// Batches records per partition and delivers them, in order and (idempotent) once. Records of one caller that awaits each acceptance keep
/// their order within a partition. Safe for many callers: <c>_gate</c> guards the queues' table, the sticky choices and the builders'
/// pool; each queue has its own lock.
/// </summary>
public sealed class Producer : IAsyncDisposable
{
    private readonly ProducerOptions _options;
    private readonly ClusterClient _cluster;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly IPartitioner _partitioner;
    private readonly ByteBudget _budget;
    private readonly Sender _sender;
    private readonly Lock _gate = new();
    private readonly Dictionary<TopicPartition, PartitionQueue> _queues = [];
    private readonly Dictionary<string, StickyChoice> _sticky = [];
    private bool _isClosed;

    public Producer(ProducerOptions options, ClusterClient cluster, TimeProvider time, Random random)
    {
        options.Validate();
        (_options, _cluster, _time, _random) = (options, cluster, time, random);
        _partitioner = options.Partitioner ?? new KeyHashPartitioner();
        _budget = new ByteBudget(options.BufferBytes);
        _sender = new Sender(options, cluster, _budget);
    }

    /// <summary>Sends and waits for the delivery. Cancelling stops the waiting only, once the record is accepted.</summary>
    public async Task<DeliveryResult> SendAsync(ProducerRecord record, CancellationToken ct)
    {
        var source = new TaskCompletionSource<DeliveryResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        await AcceptAsync(record, new Delivery(source, null), ct);
        return await source.Task.OrCancelled(ct);
    }

    /// <summary>
    /// Done once the record is accepted into a batch (waits while the buffer is full); <paramref name="delivered"/> is called later, once, with the
    /// result or the error, from the sending loop: it must be short.
    /// </summary>
    public ValueTask PostAsync(ProducerRecord record, Action<DeliveryResult, Exception?>? delivered, CancellationToken ct) =>
        AcceptAsync(record, new Delivery(null, delivered), ct);

    /// <summary>Sends all that waits and returns when every record accepted before has its result.</summary>
    public Task FlushAsync(CancellationToken ct) => _sender.FlushAsync(ct);

    /// <summary>Flushes, at most as long as deliveries may take, and stops.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }
            _isClosed = true;
        }
        await _sender.FlushAsync(CancellationToken.None);
        await _sender.DisposeAsync();
    }

    private ValueTask AcceptAsync(ProducerRecord record, Delivery delivery, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        _sender.ThrowIfStopped();
        return _cluster.Cached(record.Topic) is { } topic && TryAccept(record, topic, delivery, null, out _, out _)
            ? default
            : AcceptSlowlyAsync(record, delivery, ct);
    }

    private async ValueTask AcceptSlowlyAsync(ProducerRecord record, Delivery delivery, CancellationToken ct)
    {
        TopicMetadata topic = await _cluster.TopicAsync(record.Topic, refresh: false, ct);
        if (!TryAccept(record, topic, delivery, null, out PartitionQueue queue, out long wanted))
        {
            await _budget.TakeAsync(wanted, ct);
            TryAccept(record, topic, delivery, queue, out _, out _, wanted);
        }
    }

    /// <summary>Appends to the open batch, or to a new one if bytes were reserved for it or can be; never false with <paramref name="reserved"/>.</summary>
    private bool TryAccept(
        in ProducerRecord record, TopicMetadata topic, Delivery delivery, PartitionQueue? chosen, out PartitionQueue queue, out long wanted, long reserved = 0)
    {
        long timestamp = (record.Timestamp ?? _time.GetUtcNow()).ToUnixTimeMilliseconds();
        byte[] headers = EncodeHeaders(record.Headers, out int headerBytes);
        try
        {
            int size = record.Key.GetValueOrDefault().Length + record.Value.GetValueOrDefault().Length + headerBytes + 32;
            queue = chosen ?? QueueOf(record, topic, timestamp, size);
            wanted = Math.Max(_options.BatchBytes, size + RecordBatch.HeaderSize);
            lock (queue.Gate)
            {
                if (queue.Open?.TryAppend(record, timestamp, record.Headers?.Count ?? 0, headers.AsSpan(0, headerBytes), delivery) == true)
                {
                    if (reserved > 0)
                    {
                        _budget.Return(reserved);
                    }
                    if (queue.Open.Builder.Size >= _options.BatchBytes)
                    {
                        queue.CloseOpen();
                        _sender.Wake();
                    }
                    return true;
                }
                if (reserved == 0 && !_budget.TryTake(wanted))
                {
                    queue.CloseOpen();
                    _sender.Wake();
                    return false;
                }
                queue.CloseOpen();
                var batch = new ProducerBatch(_sender.Builders.Take(), wanted, _time.GetTimestamp());
                batch.TryAppend(record, timestamp, record.Headers?.Count ?? 0, headers.AsSpan(0, headerBytes), delivery);
                queue.Open = batch;
                ClientMetrics.BufferedBytes.Add(wanted);
            }
            _sender.Wake();
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(headers);
        }
    }

    private PartitionQueue QueueOf(in ProducerRecord record, TopicMetadata topic, long timestamp, int size)
    {
        int count = topic.Partitions.Count;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            int partition = record.Partition ?? _partitioner.Choose(record, timestamp, count, _random);
            if (record.Partition is null && partition == IPartitioner.Sticky)
            {
                if (!_sticky.TryGetValue(record.Topic, out StickyChoice? sticky))
                {
                    _sticky[record.Topic] = sticky = new StickyChoice();
                }
                partition = sticky.Next(count, size, _options.BatchBytes, _random);
            }
            if (partition < 0 || partition >= count)
            {
                throw new BrokerErrorException(ErrorCode.UnknownTopicOrPartition, $"{record.Topic}-{partition} does not exist: the topic has {count} partitions");
            }
            var key = new TopicPartition(record.Topic, partition);
            if (!_queues.TryGetValue(key, out PartitionQueue? queue))
            {
                _queues[key] = queue = new PartitionQueue(key, _cluster.Time);
                _sender.Add(queue);
            }
            return queue;
        }
    }

    private static byte[] EncodeHeaders(IReadOnlyList<RecordHeader>? headers, out int size)
    {
        size = 0;
        if (headers is null || headers.Count == 0)
        {
            return ArrayPool<byte>.Shared.Rent(0);
        }
        int most = 0;
        for (int i = 0; i < headers.Count; i++)
        {
            most += 10 + Encoding.UTF8.GetMaxByteCount(headers[i].Key.Length) + headers[i].Value.GetValueOrDefault().Length;
        }
        byte[] encoded = ArrayPool<byte>.Shared.Rent(most);
        for (int i = 0; i < headers.Count; i++)
        {
            (string key, ReadOnlyMemory<byte>? value) = headers[i];
            size += Varint.Write(encoded.AsSpan(size), Encoding.UTF8.GetByteCount(key));
            size += Encoding.UTF8.GetBytes(key, encoded.AsSpan(size));
            size += Varint.Write(encoded.AsSpan(size), value?.Length ?? -1);
            value.GetValueOrDefault().Span.CopyTo(encoded.AsSpan(size));
            size += value.GetValueOrDefault().Length;
        }
        return encoded;
    }
}
