using LogPipeline.Files.Waiting;

namespace LogPipeline.Broker.Conversion;

/// <summary>
/// Bounds the memory of all conversions between record formats and codecs together. A conversion takes a share; one whose records unpack to
/// more than a share has room for begins again with all of the memory, alone. May be called from any thread.
/// </summary>
internal sealed class ConversionMemory
{
    private const long Total = 64L << 20;
    private const long Share = 16L << 20;

    private readonly ByteBudget _budget = new(Total);

    /// <summary>Completes when the memory is there.</summary>
    /// <param name="isWhole">All of it, or a share.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async ValueTask<Lease> TakeAsync(bool isWhole, CancellationToken cancellation)
    {
        long bytes = isWhole ? Total : Share;
        await _budget.TakeAsync(bytes, cancellation);
        return new Lease(_budget, bytes);
    }

    /// <summary>Memory taken; disposed once.</summary>
    public readonly struct Lease(ByteBudget budget, long bytes) : IDisposable
    {
        /// <summary>Whether it is all there is.</summary>
        public bool IsWhole => bytes == Total;

        /// <summary>
        /// The most that records may unpack to where a whole batch is made of them: they are then in memory as they came, unpacked, as
        /// the new batch has them, and compressed.
        /// </summary>
        public int BatchPlainBytesMax => IsWhole ? 15 << 20 : 2 << 20;

        /// <summary>The most that records may unpack to where messages are made of them, a part at a time.</summary>
        public int MessagesPlainBytesMax => IsWhole ? 32 << 20 : 2 << 20;

        public void Dispose() => budget.Return(bytes);
    }
}
