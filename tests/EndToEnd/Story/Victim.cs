using LogPipeline.EndToEnd.Harness;
using LogPipeline.Testing;

namespace LogPipeline.EndToEnd.Story;

/// <summary>A part of the pipeline that is killed with -9 and started again.</summary>
internal interface IVictim : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Starts it; done when it serves.</summary>
    Task StartAsync();

    Task KillAsync();

    /// <summary>Begins to start it again and does not wait until it serves: the next kill may come before.</summary>
    void StartAgain();

    /// <summary>How it ended, if it ended by itself.</summary>
    string? EndedByItself { get; }
}

/// <summary>A process: broker, agent, sink, or Apache Kafka.</summary>
internal sealed class ProcessVictim(string name, Func<RealProcess> start, Func<RealProcess, Task> ready) : IVictim
{
    private RealProcess? _process;

    public string Name => name;

    public string? EndedByItself => _process is { HasExited: true } ? $"{name} ended by itself: {_process.Errors}" : null;

    public RealProcess Process => _process!;

    public async Task StartAsync()
    {
        _process = start();
        await ready(_process);
    }

    public async Task KillAsync()
    {
        // One that ended by itself would be hidden by starting it again.
        if (EndedByItself is { } reason)
        {
            throw new InvalidOperationException(reason);
        }
        await _process!.DisposeAsync();
    }

    public void StartAgain() => _process = start();

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }
}

/// <summary>PostgreSQL: its postmaster is killed, its children notice and end.</summary>
internal sealed class PostgresVictim(PostgresServer server) : IVictim
{
    private Task _starting = Task.CompletedTask;

    public string Name => "postgres";

    public string? EndedByItself => _starting.IsFaulted ? $"PostgreSQL did not start again: {_starting.Exception!.InnerException!.Message}" : null;

    public Task StartAsync() => Task.CompletedTask;

    // The script that starts the server needs its answer; a kill in the middle of that is the server's own matter.
    public async Task KillAsync()
    {
        await _starting;
        server.Kill();
    }

    public void StartAgain() => _starting = StartWhenChildrenAreGoneAsync();

    // The server refuses to start as long as one of the old children holds the shared memory.
    private async Task StartWhenChildrenAreGoneAsync()
        => await Deadline.UntilAsync(TimeSpan.FromSeconds(60), async () =>
        {
            try
            {
                await server.StartAgainAsync();
                return true;
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        }, () => "PostgreSQL refuses to start");

    public async ValueTask DisposeAsync()
    {
        await _starting;
        await server.DisposeAsync();
    }
}
