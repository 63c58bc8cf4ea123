using System.Globalization;
using LogPipeline.Contract;

namespace LogPipeline.Agent.Resending;

/// <summary>
/// The lines of a stretch of a file, those that lie in it in part counted in; of a long line the parts that do. A line has with it what lies before it
/// and is in no record: lines that were left out, NUL bytes, a byte order mark.
/// </summary>
internal sealed class ChosenLines(long from, long to)
{
    public long Count { get; private set; }

    /// <summary>Where the first of them begins.</summary>
    public long Begin { get; private set; } = long.MaxValue;

    /// <summary>Where the last of them ends.</summary>
    public long End { get; private set; }

    public bool Has(in RecordPosition position) => position.End > from && position.CoveredBegin < to;

    /// <summary>Counts a line that is one of them.</summary>
    public void Add(in RecordPosition position)
    {
        if (Has(position))
        {
            Count++;
            Begin = Math.Min(Begin, position.CoveredBegin);
            End = Math.Max(End, position.End);
        }
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Count} line{(Count == 1 ? "" : "s")}, bytes {Begin} to {End} of the file,");
}
