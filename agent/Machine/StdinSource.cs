using LogPipeline.Agent.Sources;
using LogPipeline.Files.Waiting;

namespace LogPipeline.Agent.Machine;

/// <summary>The standard input of this process. While the spool is full nothing is read, so the writer of the pipe waits.</summary>
internal sealed class StdinSource : ILineSource
{
    private const int ReadBytes = 256 << 10;
    private const int LineBytesMax = 16 << 20;

    public async Task RunAsync(Spool spool, CancellationToken stopped)
    {
        using Stream input = Console.OpenStandardInput();
        byte[] buffer = new byte[ReadBytes];
        var decoder = new StreamDecoder();
        var cutter = new LineCutter(LineBytesMax);
        while (true)
        {
            // A read of a pipe cannot be cancelled; where the agent is stopped it is left to the end of the process.
            int read = await input.ReadAsync(buffer, CancellationToken.None).AsTask().OrCancelled(stopped);
            byte[] lines = read == 0 ? [.. cutter.Add(decoder.End()), .. cutter.End()] : cutter.Add(decoder.Add(buffer.AsSpan(0, read)));
            if (lines.Length > 0)
            {
                await spool.AppendAsync(lines, stopped);
            }
            if (read == 0)
            {
                return;
            }
        }
    }
}
