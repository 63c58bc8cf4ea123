using LogPipeline.Agent;
using LogPipeline.Agent.Inspection;
using LogPipeline.Contract.Reports;
using LogPipeline.Files;
using LogPipeline.Hosting;

namespace LogPipeline.AgentProgram;

/// <summary>The verbs that look and change nothing: <c>explain</c>, <c>status</c>, <c>plan</c>.</summary>
internal static class InspectionCommands
{
    private const int NarrowWidth = 80;
    private const int PlanLinesMax = 20;
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(1);

    /// <summary>Returns 0 when the path is read, 1 when it is not.</summary>
    public static async Task<int> ExplainAsync(string path, AgentOptions options, RunningAgent agent)
    {
        string whole = Path.GetFullPath(path);
        AgentReport? running = await agent.AskAsync(PathText.Show(whole), int.MaxValue);
        var explanation = Explanation.Of(options, new OsFileSystem(), whole, LinkOf(whole), running);
        foreach (string line in explanation.Lines)
        {
            Console.WriteLine(ControlCharacters.Show(PathText.Show(line)));
        }
        return explanation.IsRead ? 0 : 1;
    }

    public static async Task<int> StatusAsync(AgentArguments arguments, AgentOptions options, RunningAgent agent)
    {
        if (!arguments.IsWatching)
        {
            Print(await ReportAsync(options, agent), arguments.IsJson, int.MaxValue);
            return 0;
        }
        StandardOutputStream.UseForConsole();
        using var signals = new StopSignals();
        using var ticks = new PeriodicTimer(WatchInterval);
        bool isScreen = !Console.IsOutputRedirected;
        while (!signals.Token.IsCancellationRequested)
        {
            (AgentReport, bool) report = await ReportAsync(options, agent);
            if (isScreen && !arguments.IsJson)
            {
                Console.Write("\u001b[H\u001b[J");
            }
            Print(report, arguments.IsJson, isScreen ? Math.Max(1, Console.WindowHeight - 4) : int.MaxValue);
            try
            {
                await ticks.WaitForNextTickAsync(signals.Token);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }
        return 0;
    }

    public static async Task<int> PlanAsync(AgentArguments arguments, AgentOptions options, RunningAgent agent)
    {
        AgentReport? running = await agent.AskAsync(null, int.MaxValue);
        var plan = ReadingPlan.Of(options, new OsFileSystem(), running);
        double? rate = arguments.Rate ?? running?.RateMax;
        foreach (string line in PlanText.Show(plan, rate, arguments.Rate is null ? "measured" : "given", arguments.ShowsAll ? int.MaxValue : PlanLinesMax))
        {
            Console.WriteLine(ControlCharacters.Show(PathText.Show(line)));
        }
        return 0;
    }

    private static async Task<(AgentReport Report, bool IsRunning)> ReportAsync(AgentOptions options, RunningAgent agent)
        => await agent.AskAsync(null, int.MaxValue) is AgentReport running
            ? (running, true)
            : (AgentInspection.FromState(options, new OsFileSystem()) with { Problems = [agent.Silence] }, false);

    private static void Print((AgentReport Report, bool IsRunning) status, bool isJson, int rowsMax)
    {
        if (isJson)
        {
            using var output = new StandardOutputStream();
            output.Write(ReportJson.Write(status.Report));
            output.WriteByte((byte)'\n');
            return;
        }
        foreach (string line in StatusTable.Show(status.Report, status.IsRunning, Width(), rowsMax))
        {
            Console.WriteLine(ControlCharacters.Show(line));
        }
    }

    /// <summary>The screen's columns; where output goes elsewhere, what COLUMNS says.</summary>
    private static int Width()
        => !Console.IsOutputRedirected ? Console.WindowWidth
            : int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), out int columns) ? columns : NarrowWidth;

    private static string? LinkOf(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: false)?.FullName;
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
