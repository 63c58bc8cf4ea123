using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace LogPipeline.EndToEnd.Story;

/// <summary>
/// Writes web-log lines to a file at a rate, line k with <c>n=k</c> in its query, and renames the file at even distances, as a
/// rotation does. Writes whole blocks, so that a line is cut over two writes now and then.
/// </summary>
internal sealed class Feeder(string path, int lines, int linesPerSecond, int renames, int seed)
{
    private static readonly string[] Paths = ["/api/v1/users", "/img", "/search", "/cart/login", "/products", "/static/orders"];
    private static readonly int[] Statuses = [200, 200, 200, 200, 304, 301, 404, 403, 500, 502];

    private readonly Random _random = new(seed);

    /// <summary>Every file written, the current one last.</summary>
    public List<string> Files { get; } = [path];

    public async Task RunAsync()
    {
        var clock = Stopwatch.StartNew();
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        var written = 0;
        var block = new StringBuilder();
        while (written < lines)
        {
            await ticks.WaitForNextTickAsync();
            var due = (int)Math.Min(lines, clock.Elapsed.TotalSeconds * linesPerSecond);
            var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
            for (; written < due; written++)
            {
                if (IsTimeToRename(written))
                {
                    Flush(file, block);
                    await file.DisposeAsync();
                    Rename();
                    file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
                }
                Append(block, written);
            }
            Flush(file, block);
            await file.DisposeAsync();
        }
    }

    private bool IsTimeToRename(int line) => renames > 0 && line > 0 && line % Math.Max(1, lines / (renames + 1)) == 0 && Files.Count <= renames;

    // Two writes: the second begins in the middle of a line.
    private void Flush(FileStream file, StringBuilder block)
    {
        var bytes = Encoding.ASCII.GetBytes(block.ToString());
        block.Clear();
        if (bytes.Length == 0)
            return;
        var cut = _random.Next(bytes.Length);
        file.Write(bytes, 0, cut);
        file.Flush();
        file.Write(bytes, cut, bytes.Length - cut);
        file.Flush();
    }

    private void Rename()
    {
        var to = string.Create(CultureInfo.InvariantCulture, $"{path}.{Files.Count}");
        File.Move(path, to);
        Files.Insert(Files.Count - 1, to);
    }

    private void Append(StringBuilder block, int k)
    {
        var time = new DateTime(2026, 11, 21, 0, 0, 0, DateTimeKind.Utc).AddSeconds(k / 900);
        block.Append(CultureInfo.InvariantCulture, $"{_random.Next(1, 224)}.{_random.Next(256)}.{_random.Next(256)}.{_random.Next(1, 255)}")
            .Append(CultureInfo.InvariantCulture, $" - - [{time.ToString("dd/MMM/yyyy:HH:mm:ss", CultureInfo.InvariantCulture)} +0000] ")
            .Append(CultureInfo.InvariantCulture, $"\"GET {Paths[_random.Next(Paths.Length)]}?n={k} HTTP/1.1\" {Statuses[_random.Next(Statuses.Length)]} {_random.Next(80, 60000)} ")
            .Append("\"-\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\"\n");
    }
}
