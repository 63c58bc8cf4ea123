using System.Runtime.InteropServices;

namespace LogPipeline.Hosting;

/// <summary>
/// SIGTERM and Ctrl-C ask once, politely, by cancelling <see cref="Token"/>; the second one is not held back and ends the process. SIGHUP asks
/// for the configuration to be read anew, and ends nothing.
/// </summary>
public sealed class StopSignals : IDisposable
{
    private readonly Action _reload;
    private readonly PosixSignalRegistration _hangUp;
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

    /// <param name="reload">Called at SIGHUP, on another thread; null = there is nothing to reload, which is said.</param>
    public StopSignals(Action? reload = null)
    {
        _reload = reload ?? (static () => Console.Error.WriteLine("SIGHUP changes nothing here: restart to apply a changed configuration"));
        _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, HangUp);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    }

    public CancellationToken Token => _stop.Token;

    public void Dispose()
    {
        _hangUp.Dispose();
        _interrupt.Dispose();
        _terminate.Dispose();
        _stop.Dispose();
    }

    private void HangUp(PosixSignalContext signal)
    {
        signal.Cancel = true;
        _reload();
    }

    private void Stop(PosixSignalContext signal)
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }
        signal.Cancel = true;
        _stop.Cancel();
    }
}
