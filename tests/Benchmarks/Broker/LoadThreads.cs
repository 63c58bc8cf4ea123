namespace LogPipeline.Benchmarks.Broker;

/// <summary>Threads of a load; the first failure of one is the failure of all.</summary>
internal static class LoadThreads
{
    /// <summary>Runs <paramref name="work"/> on that many threads and waits for them.</summary>
    public static void Run(int count, Action<int> work)
    {
        Exception? failure = null;
        Thread[] threads = [.. Enumerable.Range(0, count).Select(i => new Thread(() =>
        {
            try
            {
                work(i);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, e, null);
            }
        }))];
        Array.ForEach(threads, static thread => thread.Start());
        Array.ForEach(threads, static thread => thread.Join());
        if (failure is not null)
        {
            throw new InvalidOperationException(failure.Message, failure);
        }
    }
}
