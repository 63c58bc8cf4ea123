using System.Globalization;
using LogPipeline.Sinks.Rebuilding;

namespace LogPipeline.Cli.Printing;

/// <summary>One line on a terminal that says how far a rebuild is, how fast, and when it will have caught up. Into a file it writes nothing.</summary>
internal sealed class RebuildLine(TextWriter to, bool isTerminal, TimeProvider time)
{
    private RebuildProgress? _first;
    private long _begun;
    private int _width;

    public void Show(RebuildProgress progress)
    {
        if (!isTerminal)
        {
            return;
        }
        if (_first is null)
        {
            (_first, _begun) = (progress, time.GetTimestamp());
        }
        string line = Line(_first.Value, progress, time.GetElapsedTime(_begun));
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

    /// <param name="first">As it was when this display began.</param>
    /// <param name="now">As it is.</param>
    /// <param name="elapsed">In between.</param>
    internal static string Line(RebuildProgress first, RebuildProgress now, TimeSpan elapsed)
    {
        double speed = (now.Done - first.Done) / Math.Max(elapsed.TotalSeconds, 0.001);
        long all = now.Done + now.Left;
        // What the live table gains meanwhile has to be caught up with too: only the distance that shrinks counts.
        double nearer = (first.Left - now.Left) / Math.Max(elapsed.TotalSeconds, 0.001);
        string left = nearer < 1 ? "?" : $"{TimeSpan.FromSeconds(Math.Ceiling(now.Left / nearer)):d\\.hh\\:mm\\:ss}".TrimStart('0').TrimStart('.');
        return string.Create(CultureInfo.InvariantCulture, $"{(all == 0 ? 100 : 100.0 * now.Done / all):0} % of {all} records, {speed:0}/s, {left} left");
    }
}
