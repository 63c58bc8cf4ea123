using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Client.Positions;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Compares a file with what was read, byte for byte, by the entries that are kept of it: after the host crashed, a tailed file
/// may have lost its unsynced end and grown again; and a copy of a file that was cut may be shorter than what was read of it.
/// </summary>
internal static class CrashCut
{
    /// <summary>
    /// Where to go on: at the file's end when it is only shorter than what was read, else at the line that holds the first byte that
    /// differs, lest the new line lose what it happens to share with the old one. Null when it cannot be told, because the file's
    /// begin is another's or nothing of what was read near the cut is kept.
    /// </summary>
    /// <param name="generation">Whose bytes.</param>
    /// <param name="file">What is compared with them.</param>
    /// <param name="entries">Entries with their batches, of any generation, in any order.</param>
    public static long? FirstDifference(Generation generation, IFile file, IEnumerable<InflightEntry> entries)
    {
        int head = generation.Head.Length;
        if (head > 0 && file.Length >= head && FileProof.HeadOf(file, head) != generation.Head)
        {
            return null;
        }
        SortedDictionary<long, Compared> records = [];
        foreach (InflightEntry entry in entries)
        {
            if (entry.RecordCount > 0 && entry.Ranges.Any(r => r.Generation == generation.Id))
            {
                ReEncoder.Visit(entry.Batch.Span, (position, value) =>
                {
                    if (position.Generation == generation.Id)
                    {
                        records[position.CoveredBegin] = Compare(file, position, value);
                    }
                });
            }
        }
        // What lies before a hole tells nothing.
        List<Compared> run = [];
        foreach (Compared record in records.Values)
        {
            if (run is [.., { } last] && last.End != record.Begin)
            {
                run.Clear();
            }
            run.Add(record);
        }
        if (run.Count == 0 || run[0].GoOn <= run[0].Begin)
        {
            return null;
        }
        int differs = run.FindIndex(r => !r.IsSame);
        return differs < 0 ? run[^1].End : run[differs].GoOn;
    }

    private static Compared Compare(IFile file, in RecordPosition position, ReadOnlySpan<byte> value)
    {
        byte[] expected = new byte[position.End - position.CoveredBegin];
        value.CopyTo(expected);
        int at = value.Length;
        if (at < expected.Length && position.Flags.HasFlag(PositionFlags.CarriageReturn))
        {
            expected[at++] = (byte)'\r';
        }
        if (at < expected.Length)
        {
            expected[at] = (byte)'\n';
        }
        byte[] there = new byte[expected.Length];
        int read = file.ReadFully(there, position.CoveredBegin);
        int same = there.AsSpan(0, read).CommonPrefixLength(expected);
        long end = position.CoveredBegin + same;
        bool isLineEnded = same >= value.Length && same < read && there[same] == (byte)'\n';
        // The line is all there, though it lost its carriage return.
        long goOn = isLineEnded ? end + 1 : same < read ? Math.Min(position.LineBegin, end) : end;
        return new Compared(position.CoveredBegin, position.End, goOn, same == expected.Length);
    }

    /// <summary>A record held against a file: where to go on if it is the first that differs.</summary>
    private sealed record Compared(long Begin, long End, long GoOn, bool IsSame);
}
