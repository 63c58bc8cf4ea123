using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Client.Positions;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// After the host crashed, a tailed file may have lost its unsynced end and grown again. The entries kept in the in-flight files
/// hold what was read there of late, byte for byte: they show where the file begins to differ.
/// </summary>
internal static class CrashCut
{
    /// <summary>
    /// Where to go on: at the file's end when it is only shorter than what was read, else at the line that holds the first byte that
    /// differs, lest the new line lose what it happens to share with the old one. Null when it cannot be told, because the file's begin is another's or
    /// nothing of what was read near the cut is kept.
    /// </summary>
    public static long? FirstDifference(Generation generation, IFile file, InflightFiles inflight, IEnumerable<InflightEntry> entries)
    {
        if (generation.Head.Length == 0 || (file.Length >= generation.Head.Length && FileProof.HeadOf(file, generation.Head.Length) != generation.Head))
        {
            return null;
        }
        long equalTo = -1;
        long? difference = null;
        foreach (InflightEntry entry in entries.Where(e => e.RecordCount > 0 && e.Ranges.Any(r => r.Generation == generation.Id)))
        {
            ReEncoder.Visit(inflight.ReadBack(entry.Place).Batch.Span, (position, value) =>
            {
                if (position.Generation != generation.Id || difference is not null)
                {
                    return;
                }
                (int same, bool differs) = SameBytes(file, position, value);
                if (position.CoveredBegin + same == position.End)
                {
                    equalTo = position.End;
                }
                else if (equalTo >= 0 || same > 0)
                {
                    difference = differs
                        ? Math.Min(position.LineBegin, position.CoveredBegin + same)
                        : position.CoveredBegin + same;
                }
                else
                {
                    difference = -1;
                }
            });
            if (difference is not null)
            {
                break;
            }
        }
        return difference is -1 || (difference is null && equalTo < 0) ? null : difference ?? equalTo;
    }

    /// <summary>How many bytes of the record, terminator included, the file has at its place, and whether it has another byte then.</summary>
    private static (int Same, bool Differs) SameBytes(IFile file, in RecordPosition position, ReadOnlySpan<byte> value)
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
        return (same, same < read);
    }
}
