using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace LogPipeline.EndToEnd.Torture;

/// <summary>How a log is rotated.</summary>
internal enum Rotation
{
    None,

    /// <summary>The file is renamed and a new one begun.</summary>
    Rename,

    /// <summary>The file is copied and then cut, as logrotate's copytruncate does. Nothing is written in between.</summary>
    CopyTruncate,
}

/// <summary>Writes numbered lines to one path and rotates it, keeping some old files.</summary>
internal sealed class NumberedLog(string path, Rotation rotation, int linesPerFile, int kept)
{
    private static readonly TimeSpan LeapMax = TimeSpan.FromMilliseconds(100);
    private static readonly string Filler = new('x', 180);

    /// <summary>Lines written; the next one has this number.</summary>
    public int Written { get; private set; }

    /// <summary>
    /// Writes so many more lines, at most so many a second; a rate of 0 is as fast as it goes. Where it is held up it goes on at its rate: it does not write
    /// and delete whole files in a moment to catch up.
    /// </summary>
    public async Task WriteAsync(int count, int perSecond, CancellationToken stop = default)
    {
        var clock = Stopwatch.StartNew();
        int first = Written;
        double behind = 0; // seconds
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (Written < first + count && !stop.IsCancellationRequested)
        {
            int due = first + count;
            if (perSecond > 0)
            {
                behind = Math.Max(behind, clock.Elapsed.TotalSeconds - LeapMax.TotalSeconds - ((double)(Written - first) / perSecond));
                due = (int)Math.Min(due, first + ((clock.Elapsed.TotalSeconds - behind) * perSecond));
            }
            while (Written < due)
            {
                int end = Math.Min(due, ((Written / linesPerFile) + 1) * linesPerFile);
                Append(end);
                if (end % linesPerFile == 0)
                {
                    Rotate();
                }
            }
            if (perSecond > 0)
            {
                await ticks.WaitForNextTickAsync(CancellationToken.None);
            }
        }
    }

    private void Append(int end)
    {
        var block = new StringBuilder();
        for (; Written < end; Written++)
        {
            block.Append(CultureInfo.InvariantCulture, $"{Written:d9} {Filler}\n");
        }
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        file.Write(Encoding.ASCII.GetBytes(block.ToString()));
    }

    private void Rotate()
    {
        if (rotation == Rotation.None)
        {
            return;
        }
        File.Delete($"{path}.{kept}");
        for (int i = kept - 1; i > 0; i--)
        {
            if (File.Exists($"{path}.{i}"))
            {
                File.Move($"{path}.{i}", $"{path}.{i + 1}");
            }
        }
        if (rotation == Rotation.Rename)
        {
            File.Move(path, $"{path}.1");
            return;
        }
        File.Copy(path, $"{path}.1");
        using FileStream cut = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        cut.SetLength(0);
    }
}
