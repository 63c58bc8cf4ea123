using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Tests;

internal static class StoreChores
{
    /// <summary>Does all chores of a store once, one after another, and returns what they removed.</summary>
    public static async ValueTask<IReadOnlyList<ExpiredPart>> TendAsync(this ISinkStore store, CancellationToken cancellation)
    {
        var removed = new List<ExpiredPart>();
        foreach (Chore chore in store.Chores)
        {
            removed.AddRange(await chore.DoAsync(cancellation));
        }
        return removed;
    }
}
