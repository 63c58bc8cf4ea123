using System.CommandLine;
using LogPipeline.Cli.Printing;
using LogPipeline.Files;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Storage.Verification;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe broker verify DIR</c>: reads a stopped broker's data directory and says what is damaged in it.</summary>
internal static class VerifyDirectoryVerb
{
    public static Command Create()
    {
        var path = new Argument<string>("DIR") { Description = "The data directory of a broker that does not run" };
        var all = new Option<bool>("--all", "-a") { Description = "Go on behind the first fault" };
        var verb = new Verb("verify", "Check every batch, record, index and checkpoint of a stopped broker's data directory; changes nothing. Exit status 1 when something is damaged.",
            "logpipe broker verify ./data/broker",
            "logpipe broker verify ./data/broker --all") { path, all };
        verb.Does((parsed, stop) => Task.FromResult(Run(parsed.GetRequiredValue(path), parsed.GetValue(all), stop)));
        return verb;
    }

    private static int Run(string path, bool all, CancellationToken stop)
    {
        using DirectoryCheck check = Open(path);
        using var progress = new ProgressLine(Console.Error, !Console.IsErrorRedirected, TimeProvider.System);
        int faults = 0;
        foreach (LogFault fault in check.Faults(Progress))
        {
            progress.Clear();
            Console.WriteLine(fault);
            faults++;
            if (!all)
            {
                break;
            }
        }
        progress.Clear();
        CheckTotals totals = check.Totals;
        Console.WriteLine($"read {Count(totals.Partitions, "partition")}, {Count(totals.Segments, "segment")}, {Count(totals.Batches, "batch", "es")}, {Count(totals.Records, "record")}, {Count(totals.Bytes, "byte")}: "
            + (faults == 0 ? "all as written" : all ? Count(faults, "fault") : "stopped at the first fault, --all goes on"));
        if (totals.TornBytes > 0)
        {
            Console.WriteLine($"{Count(totals.TornBytes, "byte")} at the end of logs are as a crash left them: the next start cuts them, or has them in the commit journal");
        }
        return faults == 0 ? Exit.Done : Exit.AnswerIsNo;

        void Progress()
        {
            stop.ThrowIfCancellationRequested();
            progress.Show(check.Totals.Bytes, check.Totals.BytesInAll);
        }
    }

    private static DirectoryCheck Open(string path)
    {
        try
        {
            return DirectoryCheck.Open(new OsFileSystem(), path.TrimEnd('/'));
        }
        catch (InvalidDataException e)
        {
            throw new ConfigurationException(e.Message);
        }
    }

    private static string Count(long number, string what, string plural = "s") => $"{number} {what}{(number == 1 ? "" : plural)}";
}
