using System.ComponentModel;
using System.Diagnostics;
using LogPipeline.Agent.Sources;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Machine;

/// <summary>
/// Follows systemd's journal by journalctl, which goes on behind the cursor in the last line of the spool. The cursor is durable with the
/// entry that it stands in, and nothing beyond it was sent: so no entry is lost or repeated, whatever crashes.
/// </summary>
internal sealed class JournalSource(JournalSourceOptions options, TimeProvider time, ILogger logger) : RetriedSource(options.Name, time, logger)
{
    protected override bool IsPassing(Exception fault) => fault is IOException or InvalidDataException or Win32Exception;

    /// <summary>Runs journalctl until it ends, and returns what it said last.</summary>
    protected override async Task<string> FeedAsync(Spool spool, CancellationToken stopped)
    {
        string? cursor = JournalExport.CursorOf(spool.LastLine());
        var start = new ProcessStartInfo(options.Program, options.Arguments(cursor)) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process journal = Process.Start(start) ?? throw new IOException($"{options.Program} cannot be started");
        string said = "";
        journal.ErrorDataReceived += (_, line) => said = line.Data ?? said;
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
        return $"{options.Program} has ended{(said.Length == 0 ? "" : $": {said}")}";
    }
}
