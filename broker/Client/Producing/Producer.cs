using LogPipeline.Client.Metadata;

namespace LogPipeline.Client.Producing;

/// <summary>Batches records per partition and delivers them, in order and (idempotent) once.</summary>
public sealed class Producer : IAsyncDisposable
{
    public Producer(ProducerOptions options, ClusterClient cluster, TimeProvider time, Random random) => throw new NotImplementedException();

    /// <summary>Sends and waits for the delivery.</summary>
    public Task<DeliveryResult> SendAsync(ProducerRecord record, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>Done once the record is accepted into a batch (waits while the buffer is full); <paramref name="delivered"/> is called later, once, with the result or the error.</summary>
    public ValueTask PostAsync(ProducerRecord record, Action<DeliveryResult, Exception?>? delivered, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>Sends all that waits and returns when every record accepted before has its result.</summary>
    public Task FlushAsync(CancellationToken ct) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
