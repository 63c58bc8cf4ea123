using System.Globalization;

namespace LogPipeline.Cli.Printing;

/// <summary>One line on a terminal that says how far long work is, how fast, and when it will be done. Into a file it writes nothing.</summary>
internal sealed class ProgressLine(TextWriter to, bool isTerminal, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(0.5); // before, the speed says nothing

    private readonly long _begun = time.GetTimestamp();
    private long _shown;
    private int _width;

    /// <summary>To be called as often as wanted; it shows itself five times a second.</summary>
    public void Show(long bytes, long bytesInAll)
    {
        if (!isTerminal || (_shown != 0 && time.GetElapsedTime(_shown) < Interval))
        {
            return;
        }
        _shown = time.GetTimestamp();
        string line = Line(bytes, bytesInAll, time.GetElapsedTime(_begun));
        to.Write($"\r{line.PadRight(_width)}");
        _width = line.Length;
    }

    /// <summary>Takes the line away, so that others can be written.</summary>
    public void Clear()
    {
        if (_width > 0)
        {
            to.Write($"\r{new string(' ', _width)}\r");
            _width = 0;
        }
    }

    public void Dispose() => Clear();

    internal static string Line(long bytes, long bytesInAll, TimeSpan elapsed)
    {
        double speed = bytes / Math.Max(elapsed.TotalSeconds, 0.001);
        double percent = bytesInAll == 0 ? 100 : Math.Min(100, 100.0 * bytes / bytesInAll);
        string left = speed < 1 || elapsed < Settled ? "?" : Duration(TimeSpan.FromSeconds(Math.Max(0, bytesInAll - bytes) / speed));
        return string.Create(CultureInfo.InvariantCulture, $"{percent:0} % of {Size(bytesInAll)}, {Size((long)speed)}/s, {left} left");
    }

    private static string Size(long bytes) => bytes switch
    {
        >= 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB"),
        >= 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
    };

    private static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes} min")
        : time.TotalMinutes >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds} s")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Seconds} s");
}
