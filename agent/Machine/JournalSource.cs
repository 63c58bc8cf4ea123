using System.ComponentModel;
using System.Diagnostics;
using LogPipeline.Agent.Sources;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Machine;

/// <summary>
/// Follows systemd's journal by journalctl, which goes on behind the cursor in the last line of the spool. The cursor is durable with the
/// entry that it stands in, and nothing beyond it was sent: so no entry is lost or repeated, whatever crashes.
/// </summary>
internal sealed class JournalSource(JournalSourceOptions options, string machineId, TimeProvider time, ILogger logger) : RetriedSource(options.Name, time, logger)
{
    private const string HowToSilence = "Pass -q to turn off this notice.";

    private readonly HashSet<string> _told = []; // each once, however often the program is started

    protected override bool IsPassing(Exception fault) => fault is IOException or InvalidDataException or Win32Exception;

    /// <summary>Runs journalctl until it ends, and returns what it said last.</summary>
    protected override async Task<string> FeedAsync(Spool spool, CancellationToken stopped)
    {
        string? cursor = JournalExport.CursorOf(spool.LastLine());
        var start = new ProcessStartInfo(options.Program, options.Arguments(cursor, machineId)) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process journal = Process.Start(start) ?? throw new IOException($"{options.Program} cannot be started");
        spool.Limitation = null;
        Hear(JournalFiles.Hidden(options.Directory), spool);
        journal.ErrorDataReceived += (_, line) => Hear(line.Data, spool);
        journal.BeginErrorReadLine();
        try
        {
            await StreamFeed.RunAsync(journal.StandardOutput.BaseStream, new JournalExport(), spool, stopped);
        }
        finally
        {
            if (!journal.HasExited)
            {
                journal.Kill();
            }
        }
        return $"{options.Program} has ended{(spool.Limitation is string said ? $": {said}" : "")}";
    }

    /// <summary>
    /// journalctl says on its standard error what it cannot show, such as the entries of others to a user of neither group <c>adm</c> nor
    /// <c>systemd-journal</c>, and goes on. What it says further about that is indented.
    /// </summary>
    /// <param name="before">What it has said.</param>
    /// <param name="line">What it says now; null at the end.</param>
    internal static string Said(string before, string? line)
    {
        string said = (line ?? "").Replace(HowToSilence, "", StringComparison.Ordinal).TrimEnd();
        return string.IsNullOrWhiteSpace(said) ? before : char.IsWhiteSpace(said[0]) && before.Length > 0 ? $"{before} {said.Trim()}" : said;
    }

    private void Hear(string? line, Spool spool)
    {
        string before = spool.Limitation ?? "";
        string said = Said(before, line);
        if (said != before)
        {
            spool.Limitation = said;
            if (_told.Add(line!))
            {
                Logger.SourceSaid(options.Name, line!.Trim());
            }
        }
    }
}
