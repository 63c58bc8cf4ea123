using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace LogPipeline.EndToEnd.Story;

/// <summary>
/// Writes lines to a file at a rate and renames the file at even distances, as a rotation does. Writes whole blocks, so that a
/// line is cut over two writes now and then.
/// </summary>
internal sealed class Feeder(string path, IEnumerable<string> lines, StorySize size)
{
    private readonly Random _random = new(size.Seed);

    /// <summary>Every file written, the current one last.</summary>
    public List<string> Files { get; } = [path];

    public async Task RunAsync()
    {
        var clock = Stopwatch.StartNew();
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        int written = 0;
        var block = new StringBuilder();
        using IEnumerator<string> line = lines.GetEnumerator();
        while (written < size.Lines)
        {
            await ticks.WaitForNextTickAsync();
            int due = (int)Math.Min(size.Lines, clock.Elapsed.TotalSeconds * size.LinesPerSecond);
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
                if (!line.MoveNext())
                {
                    throw new InvalidOperationException($"{written} lines are all there is; {size.Lines} are wanted");
                }
                block.Append(line.Current).Append('\n');
            }
            Flush(file, block);
            await file.DisposeAsync();
        }
    }

    private bool IsTimeToRename(int line) => size.Renames > 0 && line > 0 && line % Math.Max(1, size.Lines / (size.Renames + 1)) == 0 && Files.Count <= size.Renames;

    // Two writes: the second begins in the middle of a line.
    private void Flush(FileStream file, StringBuilder block)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(block.ToString());
        block.Clear();
        if (bytes.Length == 0)
        {
            return;
        }
        int cut = _random.Next(bytes.Length);
        file.Write(bytes, 0, cut);
        file.Flush();
        file.Write(bytes, cut, bytes.Length - cut);
        file.Flush();
    }

    private void Rename()
    {
        string to = string.Create(CultureInfo.InvariantCulture, $"{path}.{Files.Count}");
        File.Move(path, to);
        Files.Insert(Files.Count - 1, to);
    }
}
