namespace LogPipeline.Broker.Network;

// Buffers beyond what is pooled, and the objects of a request with very many elements, are garbage once the request is answered. The
// runtime collects such old, large garbage only when more is allocated: a broker that has become idle would hold it for hours. The
// collection stops all threads for some ten milliseconds, so it waits for quiet, and for enough to be worth it.
/// <summary>Returns memory to the system when no large body was served for a while.</summary>
internal sealed class HeapTrimmer : IDisposable
{
    private const long WorthwhileBytes = 16 << 20;

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);

    private readonly ITimer _timer;
    private long _bytes; // of large bodies since the last collection

    public HeapTrimmer(TimeProvider time) =>
        _timer = time.CreateTimer(_ => Trim(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>A body too large for a pooled buffer has been served.</summary>
    public void LargeBodyDone(int bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) >= WorthwhileBytes)
        {
            _timer.Change(Quiet, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Trim()
    {
        Interlocked.Exchange(ref _bytes, 0);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
