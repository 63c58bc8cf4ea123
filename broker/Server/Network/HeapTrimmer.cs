namespace LogPipeline.Broker.Network;

// Buffers beyond what is pooled, and the objects of a request with very many elements, are garbage once the request is answered. The
// runtime collects such old, large garbage only when more is allocated: a broker that has become idle would hold it for hours.
/// <summary>Returns memory to the system when no large body was served for a while.</summary>
internal sealed class HeapTrimmer : IDisposable
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);

    private readonly ITimer _timer;

    public HeapTrimmer(TimeProvider time) => _timer = time.CreateTimer(
        static _ => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true),
        null,
        Timeout.InfiniteTimeSpan,
        Timeout.InfiniteTimeSpan);

    /// <summary>A body too large for a pooled buffer has been served.</summary>
    public void LargeBodyDone() => _timer.Change(Quiet, Timeout.InfiniteTimeSpan);

    public void Dispose() => _timer.Dispose();
}
