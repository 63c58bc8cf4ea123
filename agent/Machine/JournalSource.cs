using System.Buffers;
using System.ComponentModel;
using System.Diagnostics;
using LogPipeline.Agent.Sources;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Machine;

/// <summary>
/// Follows systemd's journal by journalctl, which goes on behind the cursor in the last line of the spool. The cursor is durable with the
/// entry that it stands in, and nothing beyond it was sent: so no entry is lost or repeated, whatever crashes.
/// </summary>
internal sealed class JournalSource(JournalSourceOptions options, TimeProvider time, ILogger logger) : ILineSource
{
    private const int ReadBytes = 256 << 10;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);

    public async Task RunAsync(Spool spool, CancellationToken stopped)
    {
        while (true)
        {
            string reason;
            try
            {
                reason = await FollowAsync(spool, stopped);
            }
            catch (Exception failed) when (failed is IOException or InvalidDataException or Win32Exception)
            {
                reason = failed.Message;
            }
            if (spool.Trouble != reason)
            {
                logger.SourceFailed(options.Name, reason);
            }
            spool.Trouble = reason;
            await Task.Delay(RetryDelay, time, stopped);
        }
    }

    /// <summary>Runs journalctl until it ends, and returns what it said last.</summary>
    private async Task<string> FollowAsync(Spool spool, CancellationToken stopped)
    {
        string? cursor = JournalExport.CursorOf(spool.LastLine());
        var start = new ProcessStartInfo(options.Program, options.Arguments(cursor)) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process journal = Process.Start(start) ?? throw new IOException($"{options.Program} cannot be started");
        string said = "";
        journal.ErrorDataReceived += (_, line) => said = line.Data ?? said;
        journal.BeginErrorReadLine();
        try
        {
            var export = new JournalExport();
            var lines = new ArrayBufferWriter<byte>();
            byte[] buffer = new byte[ReadBytes];
            while (await journal.StandardOutput.BaseStream.ReadAsync(buffer, stopped) is > 0 and int read)
            {
                lines.ResetWrittenCount();
                export.Add(buffer.AsSpan(0, read), lines);
                if (lines.WrittenCount > 0)
                {
                    await spool.AppendAsync(lines.WrittenMemory, stopped);
                    spool.Trouble = null;
                }
            }
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
