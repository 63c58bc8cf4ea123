using LogPipeline.Hosting.Parts;
using LogPipeline.Hosting.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogPipeline.Hosting.Tests;

/// <summary>What the health answer says of a part that runs.</summary>
public sealed class PartHealthTests
{
    [Fact]
    public async Task A_part_that_runs_and_cannot_do_all_it_should_is_not_well()
    {
        var health = new Health();
        var part = new Part();
        using var stop = new CancellationTokenSource();
        var reports = new List<(bool, string)>();
        await new PartsRunner(health, NullLogger.Instance).RunAsync([part], Look, stop.Token);
        Assert.Equal([(true, "broker: ok\n"), (false, "broker: its disk is gone\n")], reports);

        void Look()
        {
            reports.Add(health.Report());
            part.Problem = "its disk is gone";
            reports.Add(health.Report());
            stop.Cancel();
        }
    }

    [Fact]
    public async Task A_part_that_starts_beside_the_others_holds_up_none_of_them_and_is_not_well_until_it_serves()
    {
        var health = new Health();
        var slow = new Part { Name = "sink", StartsBeside = true, Start = new TaskCompletionSource<string>() };
        var next = new Part { Started = new TaskCompletionSource() };
        using var stop = new CancellationTokenSource();
        bool haveAllStarted = false;
        Task running = new PartsRunner(health, NullLogger.Instance).RunAsync([slow, next], () => haveAllStarted = true, stop.Token);
        await next.Started.Task;
        Assert.Equal((false, "sink: is starting\nbroker: ok\n"), health.Report());
        slow.Problem = "its database refuses it";
        Assert.Equal((false, "sink: its database refuses it\nbroker: ok\n"), health.Report());
        Assert.False(haveAllStarted);
        slow.Problem = null;
        slow.Start.SetResult("sink");
        while (!haveAllStarted)
        {
            await Task.Yield();
        }
        Assert.Equal((true, "sink: ok\nbroker: ok\n"), health.Report());
        await stop.CancelAsync();
        await running;
    }

    private sealed class Part : IPart
    {
        public string Name { get; init; } = "broker";

        public bool StartsBeside { get; init; }

        public TaskCompletionSource<string>? Start { get; init; }

        public TaskCompletionSource? Started { get; init; }

        public string? Problem { get; set; }

        public Task Running { get; } = new TaskCompletionSource().Task;

        public Task<string> StartAsync(CancellationToken stop)
        {
            Started?.SetResult();
            return Start?.Task ?? Task.FromResult(Name);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
