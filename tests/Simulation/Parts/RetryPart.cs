using LogPipeline.Simulation.Database;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Machines;
using LogPipeline.Sinks;
using LogPipeline.Sinks.DeadLetters;

namespace LogPipeline.Simulation.Parts;

/// <summary>Somebody who runs <c>logpipe dead-letters retry</c> again and again, while the sink is at work.</summary>
internal sealed class RetryPart
{
    private readonly SimDatabase _database;

    public RetryPart(Machine machine, SimDatabase database)
    {
        _database = database;
        Part = new Part(machine, "retry", RunAsync);
    }

    public Part Part { get; }

    /// <summary>Letters that became rows in this run.</summary>
    public long Stored { get; private set; }

    private async Task RunAsync(Life life)
    {
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(life.Random.Next(100, 6000)), life.Time, life.Stopping);
                await TryAsync(life);
            }
        }
        catch (OperationCanceledException) when (life.Stopping.IsCancellationRequested)
        {
            // told to stop
        }
    }

    private async Task TryAsync(Life life)
    {
        try
        {
            await using var store = new SimStore(_database, life);
            RetriedLetters retried = await DeadLetterTable.RetryAsync(store, new DeadLetterChoice(SinkPart.Name), life.Stopping);
            Stored += retried.Stored;
            Part.World.Trace.Say(Part, $"{retried.Stored} dead letters are rows now, {retried.Refused} are refused still");
        }
        catch (Exception error) when (error is StoreUnavailableException or StoreRefusedException)
        {
            Part.World.Trace.Say(Part, error.Message);
        }
    }
}
