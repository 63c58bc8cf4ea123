using System.Runtime.InteropServices;

namespace LogPipeline.Hosting;

/// <summary>
/// SIGTERM and Ctrl-C ask once, politely, by cancelling <see cref="Token"/>; the second one is not held back and ends the process. SIGHUP asks
/// for the configuration to be read anew, and ends nothing.
/// </summary>
public sealed class StopSignals : IDisposable
{
    private readonly PosixSignalRegistration _hangUp;
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;
    private int _status;

    public StopSignals()
    {
        _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, HangUp);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    }

    public CancellationToken Token => _stop.Token;

    /// <summary>The exit status of work that the signal cut short, as shells give it: 130 after Ctrl-C, 143 after SIGTERM; 0 where none came.</summary>
    public int Status => Volatile.Read(ref _status);

    /// <summary>Called at SIGHUP, on another thread. Unless it is set there is nothing to reload, which is said.</summary>
    public Action Reload { get; set; } = static () => Console.Error.WriteLine("SIGHUP changes nothing here: restart to apply a changed configuration");

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
        Reload();
    }

    private void Stop(PosixSignalContext signal)
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }
        signal.Cancel = true;
        Volatile.Write(ref _status, signal.Signal == PosixSignal.SIGINT ? 130 : 143);
        _stop.Cancel();
    }
}
