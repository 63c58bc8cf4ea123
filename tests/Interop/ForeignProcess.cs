using System.Diagnostics;
using System.Threading.Channels;

namespace LogPipeline.Interop;

/// <summary>A program of others that runs beside the test; its lines, of both outputs, come as they are written. Disposing it kills it.</summary>
internal sealed class ForeignProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Process _process;

    /// <param name="program">Name or path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="lines">Where the lines go; null for a channel of its own.</param>
    public ForeignProcess(string program, IEnumerable<string> arguments, Channel<(ForeignProcess From, string Line)>? lines = null)
    {
        Lines = lines ?? Channel.CreateUnbounded<(ForeignProcess, string)>();
        _process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _process.OutputDataReceived += Take;
        _process.ErrorDataReceived += Take;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private Channel<(ForeignProcess From, string Line)> Lines { get; }

    /// <summary>Reads on until such a line comes, and returns it.</summary>
    public async Task<string> UntilAsync(Predicate<string> isWanted)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            (_, string line) = await Lines.Reader.ReadAsync(patience.Token);
            if (isWanted(line))
            {
                return line;
            }
        }
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    private void Take(object sender, DataReceivedEventArgs happened)
    {
        if (happened.Data is { } line)
        {
            Lines.Writer.TryWrite((this, line));
        }
    }
}
