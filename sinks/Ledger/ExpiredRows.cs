namespace LogPipeline.Sinks.Ledger;

/// <summary>A part of the rows that retention removed.</summary>
/// <param name="Name">The partition's.</param>
/// <param name="From">The first time that it could hold.</param>
/// <param name="To">The first behind it.</param>
/// <param name="Rows">How many there were.</param>
public sealed record ExpiredPart(string Name, DateTimeOffset From, DateTimeOffset To, long Rows);

/// <summary>What retention took of one log: so that a verification does not miss it.</summary>
/// <param name="offsets">Of the rows.</param>
/// <param name="rows">How many rows.</param>
/// <param name="bytes">Bytes of their lines.</param>
public sealed class ExpiredRows(StoredRanges offsets, long rows, long bytes)
{
    public StoredRanges Offsets { get; } = offsets;

    public long Rows { get; private set; } = rows;

    public long Bytes { get; private set; } = bytes;

    public void Add(long offset, long length)
    {
        Offsets.Add(offset, offset + 1);
        Rows++;
        Bytes += length;
    }

    public void Add(ExpiredRows others)
    {
        foreach ((long from, long to) in others.Offsets.Ranges)
        {
            Offsets.Add(from, to);
        }
        Rows += others.Rows;
        Bytes += others.Bytes;
    }
}
