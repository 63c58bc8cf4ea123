using LogPipeline.Agent.Sources;

namespace LogPipeline.Agent.Machine;

/// <summary>The standard input of this process. While the spool is full nothing is read, so the writer of the pipe waits.</summary>
internal sealed class StdinSource : ILineSource
{
    private const int LineBytesMax = 16 << 20;

    public async Task RunAsync(Spool spool, CancellationToken stopped)
    {
        using Stream input = Console.OpenStandardInput();
        await StreamFeed.RunAsync(input, new LineCutter(LineBytesMax, new StreamDecoder()), spool, stopped);
    }
}
