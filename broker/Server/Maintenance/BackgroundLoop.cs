namespace LogPipeline.Broker.Maintenance;

/// <summary>
/// Work that a broker does beside its clients, from <see cref="Start"/> until it is stopped. What ends it otherwise ends the broker, by
/// <paramref name="onFatal"/>.
/// </summary>
/// <param name="onFatal">Called with the fault that ended the work.</param>
internal sealed class BackgroundLoop(Action<Exception> onFatal) : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    /// <param name="work">Ends by the cancellation that it is given.</param>
    public void Start(Func<CancellationToken, Task> work) => _running = RunAsync(work);

    /// <summary>Ends the work; returns when no piece of it is under way.</summary>
    public Task CloseAsync()
    {
        _stopping.Cancel();
        return _running;
    }

    /// <summary>Ends the work, without waiting for the piece that may be under way.</summary>
    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private async Task RunAsync(Func<CancellationToken, Task> work)
    {
        CancellationToken stop = _stopping.Token;
        try
        {
            await work(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (ObjectDisposedException) when (stop.IsCancellationRequested)
        {
            // The directory was let go of under the piece of work.
        }
        catch (Exception e)
        {
            onFatal(e);
        }
    }
}
