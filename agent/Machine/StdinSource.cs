using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Sources;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Agent.Machine;

/// <summary>
/// The standard input of this process. While the spool is full nothing is read, so the writer of the pipe waits. Once the agent is stopped nothing is
/// read either: what a named pipe holds is the next reader's.
/// </summary>
internal sealed class StdinSource(StdinSourceOptions options) : ILineSource
{
    private const int LineBytesMax = 16 << 20;

    public async Task RunAsync(Spool spool, CancellationToken stopped)
    {
        using Stream input = Console.OpenStandardInput();
        using var handle = new SafeFileHandle(0, ownsHandle: false);
        await ReadAsync(input, handle, options.Encoding, spool, stopped);
    }

    /// <summary>Feeds a spool from a file descriptor whose reads block.</summary>
    internal static async Task ReadAsync(Stream input, SafeFileHandle handle, TextEncoding encoding, Spool spool, CancellationToken stopped)
    {
        var framing = new LineCutter(LineBytesMax, new StreamDecoder(encoding));
        if (!OperatingSystem.IsLinux())
        {
            await StreamFeed.RunAsync(input, framing, spool, stopped);
            return;
        }
        using var wait = new ReadableWait();
        await using CancellationTokenRegistration stop = stopped.UnsafeRegister(static wait => ((ReadableWait)wait!).Stop(), wait);
        await StreamFeed.RunAsync(input, framing, spool, stopped, () => Task.Run(() => wait.Wait(handle), CancellationToken.None));
    }
}
