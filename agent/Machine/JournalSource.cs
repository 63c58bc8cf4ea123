using System.Buffers;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using LogPipeline.Agent.Sources;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Machine;

/// <summary>
/// Follows systemd's journal by journalctl, which goes on behind the cursor in the last line of the spool. The cursor is durable with the
/// entry that it stands in, and nothing beyond it was sent: so no entry is lost or repeated, whatever crashes. Where the journal is read from its end,
/// that is noted before anything is read, as no line says it yet.
/// </summary>
internal sealed class JournalSource(JournalSourceOptions options, string machineId, TimeProvider time, ILogger logger) : RetriedSource(options.Name, time, logger)
{
    private const string HowToSilence = "Pass -q to turn off this notice.";

    private readonly HashSet<string> _told = []; // each once, however often the program is started

    protected override bool IsPassing(Exception fault) => fault is IOException or InvalidDataException or Win32Exception;

    /// <summary>Runs journalctl until it ends, and returns what it said last.</summary>
    protected override async Task<string> FeedAsync(Spool spool, CancellationToken stopped)
    {
        string? from = JournalExport.CursorOf(spool.LastLine()) ?? (options.FromEnd ? await StartAsync(spool, stopped) : null);
        using Process journal = Begin(options.Arguments(from, machineId));
        spool.Limitation = null;
        Hear(JournalFiles.Hidden(options.Directory), spool);
        journal.ErrorDataReceived += (_, line) => Hear(line.Data, spool);
        journal.BeginErrorReadLine();
        try
        {
            var export = new JournalExport(from)
            {
                MessageLeftOut = bytes => Logger.SourceSaid(options.Name, $"an entry's MESSAGE of {bytes} bytes is too long, by itself or beside its other fields, and goes out as null"),
            };
            await StreamFeed.RunAsync(journal.StandardOutput.BaseStream, export, spool, stopped);
        }
        finally
        {
            End(journal);
        }
        return $"{options.Program} has ended{(spool.Limitation is string said ? $": {said}" : "")}";
    }

    private static void End(Process process)
    {
        if (!process.HasExited)
        {
            process.Kill();
        }
    }

    private Process Begin(IReadOnlyList<string> arguments) =>
        Process.Start(new ProcessStartInfo(options.Program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })
            ?? throw new IOException($"{options.Program} cannot be started");

    /// <summary>Where the journal ended when it was to be read from its end for the first time: its last entry, or where it shows none, that time.</summary>
    private async Task<string> StartAsync(Spool spool, CancellationToken stopped)
    {
        if (spool.Start() is string noted)
        {
            return noted;
        }
        string now = string.Create(CultureInfo.InvariantCulture, $"@{Time.GetUtcNow().ToUnixTimeSeconds()}");
        using Process journal = Begin(options.LastEntryArguments(machineId));
        journal.BeginErrorReadLine(); // what cannot be shown is told when it is followed
        var last = new ArrayBufferWriter<byte>();
        try
        {
            using var export = new MemoryStream();
            await journal.StandardOutput.BaseStream.CopyToAsync(export, stopped);
            new JournalExport().Add(export.ToArray(), last);
        }
        finally
        {
            End(journal);
        }
        string start = JournalExport.CursorOf(last.WrittenSpan) ?? now;
        spool.NoteStart(start);
        return start;
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
