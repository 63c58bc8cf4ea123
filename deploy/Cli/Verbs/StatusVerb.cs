using System.CommandLine;
using LogPipeline.Cli.Printing;
using LogPipeline.Cli.Status;
using LogPipeline.Hosting;
using LogPipeline.Hosting.Admin;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe status</c>: the parts of a running process, what they do and how far they are behind.</summary>
internal static class StatusVerb
{
    /// <summary>Rates are taken over this time.</summary>
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    private const int WidthOfPipe = 160;

    private static readonly Option<string?> Config = SharedOptions.Config();
    private static readonly Option<bool> Json = new("--json") { Description = "One object a line" };
    private static readonly Option<bool> Watch = new("--watch", "-w") { Description = "Again every second, until it is stopped" };
    private static readonly Option<string?> Admin = SharedOptions.Admin();

    public static Command Create()
    {
        var verb = new Verb("status", "Show the parts of the process that runs with this configuration, how fast they work and how far they are behind; exit status 1 when one is not well.",
            "logpipe status",
            "logpipe status --watch",
            "logpipe status --json --admin 127.0.0.1:9600") { Admin, Json, Watch, Config };
        verb.Does(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        AdminAddress admin = SharedOptions.AdminOf(parsed, Admin, Config);
        admin.Require();
        if (parsed.GetValue(Watch))
        {
            StandardOutputStream.UseForConsole();
        }
        if (await NodeSnapshot.TakeAsync(admin, TimeProvider.System) is not NodeSnapshot earlier)
        {
            return Silent(admin);
        }
        while (true)
        {
            try
            {
                await Task.Delay(Between, TimeProvider.System, stop);
            }
            catch (OperationCanceledException) when (parsed.GetValue(Watch))
            {
                return Exit.Done;
            }
            if (await NodeSnapshot.TakeAsync(admin, TimeProvider.System) is not NodeSnapshot now)
            {
                return Silent(admin);
            }
            var status = new NodeStatus(earlier, now);
            Print(status, parsed);
            if (!parsed.GetValue(Watch))
            {
                return status.IsWell ? Exit.Done : Exit.AnswerIsNo;
            }
            earlier = now;
        }
    }

    private static void Print(NodeStatus status, ParseResult parsed)
    {
        if (parsed.GetValue(Json))
        {
            StatusText.WriteJson(status, Console.Out);
            return;
        }
        if (parsed.GetValue(Watch) && !Console.IsOutputRedirected)
        {
            Console.Clear();
        }
        StatusText.Write(status, Console.Out, ScreenText.Columns ?? WidthOfPipe);
    }

    private static int Silent(AdminAddress admin)
    {
        Console.WriteLine(admin.Silence);
        return Exit.AnswerIsNo;
    }
}
