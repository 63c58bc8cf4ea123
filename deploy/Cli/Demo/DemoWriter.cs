using System.Globalization;
using LogPipeline.Hosting.Parts;

namespace LogPipeline.Cli.Demo;

/// <summary>
/// Writes web-log lines as a busy site's nginx would: some tens a second, with now and then a burst, and rotates the file by
/// renaming it. Three rotated files are kept.
/// </summary>
internal sealed class DemoWriter(string path) : IPart
{
    private const long FileBytesMax = 8 << 20;
    private const int RotatedKept = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stop = new();
    private readonly Random _random = new();

    public string Name => "demo";

    public Task Running { get; private set; } = Task.CompletedTask;

    public Task<string> StartAsync(CancellationToken stop)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Running = WriteAsync();
        return Task.FromResult($"demo writes {path}");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Running;
        _stop.Dispose();
    }

    private async Task WriteAsync()
    {
        using var ticks = new PeriodicTimer(Pause);
        long line = 0L;
        try
        {
            do
            {
                if (new FileInfo(path) is { Exists: true, Length: > FileBytesMax })
                {
                    Rotate();
                }
                await using var file = new StreamWriter(path, append: true);
                for (int left = _random.Next(20) == 0 ? 50 : _random.Next(1, 8); left > 0; left--)
                {
                    await file.WriteAsync(DemoLine.Make(_random, DateTimeOffset.UtcNow, line++) + "\n");
                }
            }
            while (await ticks.WaitForNextTickAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
            // told to stop
        }
    }

    private void Rotate()
    {
        for (int n = RotatedKept; n > 0; n--)
        {
            string from = n == 1 ? path : Rotated(n - 1);
            if (File.Exists(from))
            {
                File.Move(from, Rotated(n), overwrite: true);
            }
        }
    }

    private string Rotated(int n) => string.Create(CultureInfo.InvariantCulture, $"{path}.{n}");
}
