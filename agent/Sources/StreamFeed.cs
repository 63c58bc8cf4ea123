using System.Buffers;
using LogPipeline.Files.Waiting;

namespace LogPipeline.Agent.Sources;

/// <summary>
/// Moves the lines of a stream into a spool. It is read on once what it gave is durable, so its writer waits while the spool is full. However
/// it ends, what was read of it is taken: nobody has it any more.
/// </summary>
internal static class StreamFeed
{
    private const int ReadBytes = 256 << 10;

    /// <summary>Reads until the stream ends or breaks, its framing refuses it, or it is stopped.</summary>
    /// <param name="stream">What is read.</param>
    /// <param name="framing">Cuts it into lines.</param>
    /// <param name="spool">Takes the lines.</param>
    /// <param name="stopped">Ends the reading.</param>
    /// <param name="isReadable">
    /// For a stream whose reads block and cannot be cancelled: ends with true when a read will not wait, with false when it is stopped. So no read is
    /// under way that takes what comes after the stop.
    /// </param>
    /// <exception cref="IOException">The stream broke.</exception>
    /// <exception cref="InvalidDataException">The framing refuses what comes.</exception>
    public static async Task RunAsync(Stream stream, ILineFraming framing, Spool spool, CancellationToken stopped, Func<Task<bool>>? isReadable = null)
    {
        byte[] buffer = new byte[ReadBytes];
        var lines = new ArrayBufferWriter<byte>();
        bool isRefused = false;
        Task<int>? reading = null;
        try
        {
            while (true)
            {
                if (isReadable is not null && !await isReadable())
                {
                    throw new OperationCanceledException(stopped);
                }
                reading = stream.ReadAsync(buffer, isReadable is null ? stopped : CancellationToken.None).AsTask();
                int read = isReadable is null ? await reading.OrCancelled(stopped) : await reading;
                reading = null;
                if (read == 0)
                {
                    break;
                }
                framing.Add(buffer.AsSpan(0, read), lines);
                if (lines.WrittenCount > 0)
                {
                    await spool.AppendAsync(lines.WrittenMemory, stopped);
                    lines.ResetWrittenCount();
                }
            }
        }
        catch (InvalidDataException)
        {
            isRefused = true;
            spool.Refused();
            throw;
        }
        finally
        {
            if (reading is { IsCompletedSuccessfully: true } late)
            {
                framing.Add(buffer.AsSpan(0, late.Result), lines); // it came at the moment of the stop
            }
            if (!isRefused)
            {
                framing.End(lines);
            }
            spool.TakeLast(lines.WrittenSpan);
        }
        await spool.DurableAsync();
    }
}
