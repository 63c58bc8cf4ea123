using LogPipeline.Files.Waiting;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Commands;

/// <summary>
/// Where a running sink takes commands: looks into its database every two seconds for what is paused and for commands that are still to be done.
/// It hands those to the bus, whose consumer comes back to <see cref="DoAsync"/>. What fails stays in the table and is handed over again.
/// </summary>
public sealed class CommandDesk : IAsyncDisposable
{
    /// <summary>Up to two seconds between looks; soon again at first, since a new sink's database may be about to be made.</summary>
    private static readonly BackOff Delays = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(2));

    /// <summary>A database that is being made, or is away for a moment, is not told of.</summary>
    private const int FailuresUntold = 6;

    private readonly CommandTable _table;
    private readonly string _sink;
    private readonly SinkEnvironment _environment;
    private readonly ICommandBus _bus;
    private readonly Random _random;
    private readonly AsyncLock _turn = new();
    private int _unread; // looks that failed, in a row
    private int _undone; // tries of commands that failed, in a row: looks between them go well
    private string? _problem;

    /// <exception cref="SinkConfigurationException">The sink has no database.</exception>
    public CommandDesk(SinkOptions options, SinkEnvironment environment, ICommandBus bus)
    {
        (_sink, _environment, _bus) = (options.Name, environment, bus);
        _table = new CommandTable(options, environment.Time);
        _random = new Random(environment.Random.Next());
    }

    /// <summary>Why it is not known whether the sink is paused, so that it waits; null when that is known. Any thread may ask.</summary>
    public string? Problem => _environment.Pauses.IsKnown ? null : Volatile.Read(ref _problem);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using IDisposable connection = _bus.Connect(_sink, this);
        using var meter = new PauseMeter(_sink, _environment.Pauses);
        try
        {
            for (int looks = 0; ; looks++)
            {
                await TryAsync(() => LookAsync(stop), isLook: true);
                await Task.Delay(Delays.Delay(looks, _random.NextDouble()), _environment.Time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The sink ends.
        }
    }

    /// <summary>The bus's consumer: does a command, which the sink follows before it counts as done.</summary>
    public Task DoAsync(int command, CancellationToken cancellation) => TryAsync(async () =>
    {
        if (await _table.FindAsync(command, cancellation) is { Outcome: null } waiting)
        {
            await _table.DoAsync(waiting, Environment.MachineName, Follow, cancellation);
        }
    }, isLook: false);

    public ValueTask DisposeAsync() => _table.DisposeAsync();

    private async Task LookAsync(CancellationToken stop)
    {
        (IReadOnlyList<SinkPause> pauses, IReadOnlyList<SinkCommand> waiting) = await _table.LookAsync(stop);
        Follow(pauses);
        if (waiting.Count > 0)
        {
            _bus.Send(waiting[0]);
        }
        Volatile.Write(ref _problem, null);
    }

    /// <summary>One at a time: what a look read before a command is not followed after it.</summary>
    private async Task TryAsync(Func<Task> work, bool isLook)
    {
        await _turn.TakeAsync();
        try
        {
            await work();
            (isLook ? ref _unread : ref _undone) = 0;
        }
        catch (Exception error) when (error is StoreUnavailableException or StoreRefusedException or QueryException)
        {
            Tell(error.Message, isLook);
        }
        finally
        {
            _turn.Release();
        }
    }

    private void Tell(string reason, bool isLook)
    {
        if (isLook)
        {
            Volatile.Write(ref _problem, $"it is not known whether it is paused: {reason}");
        }
        if (++(isLook ? ref _unread : ref _undone) != FailuresUntold)
        {
            return;
        }
        if (isLook)
        {
            SinkLog.CommandsUnread(_environment.Logger, _sink, reason);
        }
        else
        {
            SinkLog.CommandUndone(_environment.Logger, _sink, reason);
        }
    }

    private void Follow(IReadOnlyList<SinkPause> pauses)
    {
        string? before = _environment.Pauses.Text;
        _environment.Pauses.Set(pauses);
        string? now = _environment.Pauses.Text;
        if (now != before)
        {
            DateTimeOffset time = _environment.Time.GetUtcNow();
            _environment.Events.Publish(now is null ? new SinkResumedByCommand(_sink, time) : new SinkPausedByCommand(_sink, time, now));
        }
    }
}
