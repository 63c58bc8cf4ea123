using LogPipeline.Agent.State;
using LogPipeline.Files;
using LogPipeline.Files.Waiting;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Keeps what is unread of deleted files within <see cref="AgentOptions.DeletedBytesKept"/>: while their lines cannot be sent, the oldest are packed
/// into the state directory, and their handles closed, so that the disk gets its space back. When the agent stops, all are packed. What the state
/// directory's disk does not take stays held open as long as the agent runs, and health tells it.
/// </summary>
internal sealed class DeletedFiles(
    PackedFiles packed, FileTable table, FileLives lives, AgentOptions options, TimeProvider time, AgentMetrics metrics, ILogger logger)
{
    /// <summary>How long the disk is left alone after it has refused.</summary>
    private static readonly TimeSpan RefusedRest = TimeSpan.FromMinutes(1);

    /// <summary>How long a stop may take to pack what is left.</summary>
    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(3);

    private readonly AsyncSignal _signal = new();

    /// <summary>So many bytes are unread in deleted files that are held open; told now and then.</summary>
    public void Note(long bytes)
    {
        if (bytes > options.DeletedBytesKept)
        {
            _signal.Set();
        }
    }

    /// <summary>Runs until the agent stops, and then keeps what would end with it.</summary>
    public async Task RunAsync(CancellationToken stopped)
    {
        try
        {
            await KeepWithinBoundAsync(stopped);
        }
        catch (OperationCanceledException) when (stopped.IsCancellationRequested)
        {
            using var late = new CancellationTokenSource(StopMax, time);
            await KeepAllAsync(late.Token);
        }
    }

    private async Task KeepWithinBoundAsync(CancellationToken stopped)
    {
        while (true)
        {
            await _signal.WaitAsync(stopped);
            try
            {
                while (Oldest() is TailedFile file)
                {
                    await PackAsync(file, file.Handle!, stopped);
                }
            }
            catch (IOException refused)
            {
                logger.NotPacked(refused.Message);
                await Task.Delay(RefusedRest, time, stopped);
            }
        }
    }

    /// <summary>The agent's handles end with it, and are all that is left of deleted files.</summary>
    private async Task KeepAllAsync(CancellationToken late)
    {
        foreach (TailedFile file in table.Files.ToList())
        {
            if (file.Handle is not IFile handle || file.IsUnproved || handle.Status() is not { Links: 0 } status || status.Length <= file.Generation.Read.Position)
            {
                continue;
            }
            try
            {
                lives.MarkRotated(file);
                if (!await PackAsync(file, handle, late))
                {
                    TellLost(file, status.Length, "it was written to meanwhile");
                }
            }
            catch (Exception refused) when (refused is IOException or OperationCanceledException)
            {
                TellLost(file, status.Length, late.IsCancellationRequested ? "the stop took too long" : refused.Message);
            }
        }
    }

    private void TellLost(TailedFile file, long length, string reason)
    {
        long unread = length - file.Generation.Read.Position;
        metrics.LostBytes.Add(unread);
        logger.NotKept(file.Generation.Path, unread, reason);
    }

    /// <summary>Bytes that are unread in a file that no name is left of; 0 for others.</summary>
    public static long UnreadOf(TailedFile file) =>
        file.Unread > 0 && file.Generation.Phase == GenerationPhase.Rotated && file.Handle?.Status() is { Links: 0 } ? file.Unread : 0;

    /// <summary>The deleted file that was rotated first, if they hold too much, among those that are quiet and cannot be read now.</summary>
    private TailedFile? Oldest()
    {
        long unread = 0;
        TailedFile? oldest = null;
        foreach (TailedFile file in table.Rotated)
        {
            long of = UnreadOf(file);
            unread += of;
            if (of > 0 && oldest is null && !file.IsUnproved && file.Log is not { CanAccept: true } && time.GetElapsedTime(file.ChangedAt) >= options.RotatedQuiet)
            {
                oldest = file;
            }
        }
        return unread > options.DeletedBytesKept ? oldest : null;
    }

    /// <summary>False where it is another file by the end, or its writer goes on: then it stays as it is.</summary>
    private async Task<bool> PackAsync(TailedFile file, IFile handle, CancellationToken stopped)
    {
        Generation generation = file.Generation;
        byte[] block = GC.AllocateUninitializedArray<byte>(PackedFile.FrameBytes);
        using PackedFiles.Packing packing = packed.Begin(generation);
        long position = 0;
        int got;
        while (true)
        {
            if (IsOther())
            {
                return false;
            }
            got = handle.ReadFully(block, position);
            if (got < block.Length)
            {
                await packing.FlushAsync();
                if (IsOther())
                {
                    return false;
                }
                // From here on nothing else of the agent runs until the file has moved: its writer may have gone on meanwhile.
                got = handle.ReadFully(block, position);
            }
            if (got < block.Length)
            {
                break;
            }
            packing.Add(block);
            position += got;
            await Task.Yield();
        }
        if (position + got < generation.Read.Position)
        {
            return false; // cut; the next look finds it
        }
        if (got > 0)
        {
            packing.Add(block.AsSpan(0, got));
        }
        long unread = position + got - generation.Read.Position;
        OpenCopy copy = packing.End();
        if (handle.Length != position + got)
        {
            // Its writer goes on: it is packed when it is quiet again.
            copy.File.Dispose();
            packed.Forget(copy.Path);
            return false;
        }
        logger.Packed(generation.Path, unread, copy.Path);
        metrics.PackedFiles.Add(1);
        lives.GoOnIn(copy, file);
        return true;

        // It was read to its end, and perhaps closed, cut or found under a name while something was awaited.
        bool IsOther()
        {
            stopped.ThrowIfCancellationRequested();
            return file.Handle != handle || generation.Phase != GenerationPhase.Rotated;
        }
    }
}
