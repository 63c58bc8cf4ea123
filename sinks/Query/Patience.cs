namespace LogPipeline.Sinks.Query;

/// <summary>Cancels what waits for the database too long. Its clock runs only while something is awaited: a slow reader of the rows costs nothing.</summary>
internal sealed class Patience : IDisposable
{
    private readonly TimeSpan _longest;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _registration;

    /// <param name="longest">The longest wait; zero waits for ever.</param>
    /// <param name="time">Whose time it is.</param>
    /// <param name="caller">Cancels too.</param>
    public Patience(TimeSpan longest, TimeProvider time, CancellationToken caller)
    {
        _longest = longest == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : longest;
        _caller = caller;
        _source = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _registration = caller.Register(_source.Cancel);
    }

    public CancellationToken Token => _source.Token;

    /// <exception cref="QueryTimeoutException">The call took too long, and was cancelled.</exception>
    public async Task<T> AwaitAsync<T>(Task<T> call)
    {
        _source.CancelAfter(_longest);
        try
        {
            return await call;
        }
        catch (Exception error) when (_source.IsCancellationRequested && error is not QueryTimeoutException)
        {
            _caller.ThrowIfCancellationRequested();
            throw new QueryTimeoutException(_longest);
        }
        finally
        {
            _source.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        _registration.Dispose();
        _source.Dispose();
    }
}
