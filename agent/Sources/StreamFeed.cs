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
    /// <exception cref="IOException">The stream broke.</exception>
    /// <exception cref="InvalidDataException">The framing refuses what comes.</exception>
    public static async Task RunAsync(Stream stream, ILineFraming framing, Spool spool, CancellationToken stopped)
    {
        byte[] buffer = new byte[ReadBytes];
        var lines = new ArrayBufferWriter<byte>();
        bool isRefused = false;
        Task<int>? reading = null;
        try
        {
            while (true)
            {
                reading = stream.ReadAsync(buffer, stopped).AsTask();
                // A read of a pipe cannot be cancelled; where the agent is stopped it is left to the end of the process.
                int read = await reading.OrCancelled(stopped);
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
