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

    private sealed class Part : IPart
    {
        public string Name => "broker";

        public string? Problem { get; set; }

        public Task Running { get; } = new TaskCompletionSource().Task;

        public Task<string> StartAsync(CancellationToken stop) => Task.FromResult(Name);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
