using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Contract;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Compares a file with what was read, byte for byte, by the entries that are kept of it: after the host crashed, a tailed file
/// may have lost its unsynced end and grown again; and a copy of a file that was cut may be shorter than what was read of it.
/// </summary>
internal static class CrashCut
{
    /// <summary>Line feeds with and without carriage returns: of one byte, and of UTF-16's two in either order.</summary>
    private static readonly byte[][] s_lineEnds =
        [[.. "\n"u8], [.. "\r\n"u8], [.. "\n\0"u8], [.. "\0\n"u8], [.. "\r\0\n\0"u8], [.. "\0\r\0\n"u8]];

    /// <summary>Where to go on in a file that the host crashed under; null when it cannot be told.</summary>
    /// <param name="lives">The generations that the file has been, oldest first: each one's bytes hold from its begin on.</param>
    /// <param name="file">The file, open.</param>
    /// <param name="entries">Entries with their batches, of any generation, in any order.</param>
    /// <param name="isLive">Whether it is still written to.</param>
    public static long? GoOnAt(IReadOnlyList<Generation> lives, IFile file, IReadOnlyCollection<InflightEntry> entries, bool isLive)
    {
        List<Compared> run = Run(lives, file, entries, isLive);
        Generation generation = lives[^1];
        // Less is there than what lay before its first byte, which was not to be read: so it is of that. Where something was read of it, its begin proves
        // that, and that nobody writes to it any more: a copy that lost its end again.
        bool isBefore = file.Length < generation.Begin && (run.Count == 0 ? generation.Read.Position == generation.Begin
            : !isLive && generation.Head.Length == Fingerprint.LengthMax && ContentCheck.HeadOf(file) == generation.Head);
        return isBefore ? file.Length : FirstDifference(generation, file, run);
    }

    /// <summary>Whether a file holds all that is kept of what was read of these generations.</summary>
    public static bool IsSame(IReadOnlyList<Generation> lives, IFile file, IReadOnlyCollection<InflightEntry> entries) =>
        Run(lives, file, entries, isLive: false).TrueForAll(r => r.IsSame);

    /// <summary>
    /// Where to go on in a copy of what these generations were: at its end when all of it was read, or at the begin of the line
    /// that it ends in, which may be another's first bytes. After a crash of the host it may be a copy of what the crash left, with
    /// lines that came later: then at the first that differs, but only where its whole first KiB proves the copy. Null when it is
    /// no copy, or that cannot be told.
    /// </summary>
    public static long? GoOnInCopy(
        IReadOnlyList<Generation> lives, IFile copy, IReadOnlyCollection<InflightEntry> entries, bool hostCrashed)
    {
        Generation generation = lives[^1];
        // Nobody but its maker knows whether it is written to.
        List<Compared> run = Run(lives, copy, entries, isLive: true);
        if (FirstDifference(generation, copy, run) is not long differs)
        {
            return null;
        }
        bool isAllRead = differs == copy.Length || run.Find(r => !r.IsSame) is { EndsHere: true };
        bool isProven = hostCrashed && differs >= Fingerprint.LengthMax
            && (run[0].Begin == 0 || (generation.Head.Length == Fingerprint.LengthMax && ContentCheck.HeadOf(copy) == generation.Head));
        return isAllRead || isProven ? differs : null;
    }

    /// <summary>
    /// Where a file first differs from what was read: at its end when it is only shorter, else at the line that holds the first
    /// byte that differs, so that the new line keeps what it happens to share with the old one. A live file that ends inside a line
    /// may end in a new one of which no other byte is written yet: there too at the line's begin. Null when it cannot be told, because
    /// the file's begin is another's or nothing of what was read near the cut is kept.
    /// </summary>
    private static long? FirstDifference(Generation generation, IFile file, List<Compared> run)
    {
        if (run.Count == 0 || !run[0].Proves)
        {
            return null;
        }
        // The head proves what lies before the run; where the run begins within it, the cut may have changed the head too.
        int head = generation.Head.Length;
        if (run[0].Begin >= head && head > 0 && ContentCheck.HeadOf(file, head) != generation.Head)
        {
            return null;
        }
        int differs = run.FindIndex(r => !r.IsSame);
        return differs < 0 ? run[^1].End : run[differs].GoOn;
    }

    /// <summary>
    /// The newest records that lie end to end, held against the file. What lies before a hole tells nothing. A life's records hold up
    /// to where a later one begins, which may be inside of one: its line feed was lost.
    /// </summary>
    private static List<Compared> Run(IReadOnlyList<Generation> lives, IFile file, IReadOnlyCollection<InflightEntry> entries, bool isLive)
    {
        SortedDictionary<long, Compared> records = [];
        long until = long.MaxValue;
        foreach (Generation life in lives.Reverse())
        {
            Collect(life, until, file, entries, isLive, records);
            until = Math.Min(until, life.Begin);
        }
        List<Compared> run = [];
        foreach (Compared record in records.Values)
        {
            if (run is [.., { } last] && last.End != record.Begin)
            {
                run.Clear();
            }
            run.Add(record);
        }
        return run;
    }

    private static void Collect(
        Generation life, long until, IFile file, IEnumerable<InflightEntry> entries, bool isLive, SortedDictionary<long, Compared> records)
    {
        foreach (InflightEntry entry in entries.Where(e => e.RecordCount > 0 && e.Ranges.Any(r => r.Generation == life.Id)))
        {
            ReEncoder.Visit(entry.Batch.Span, (position, value) =>
            {
                if (position.Generation == life.Id && position.CoveredBegin < until)
                {
                    records[position.CoveredBegin] = Compare(file, position, value, until, isLive);
                }
            });
        }
    }

    private static Compared Compare(IFile file, in RecordPosition position, ReadOnlySpan<byte> value, long until, bool isLive)
    {
        if (position.Flags.HasFlag(PositionFlags.Shaped))
        {
            return CompareSum(file, position, until);
        }
        // What was left out before the line is not compared: NUL bytes, a byte order mark, or lines that the configuration leaves out.
        long begin = position.FileBegin;
        long recordEnd = Math.Max(Math.Min(position.End, until), begin);
        byte[] expected = new byte[recordEnd - begin];
        int text = Math.Min(value.Length, expected.Length);
        value[..text].CopyTo(expected);
        int at = text;
        if (at < expected.Length && position.Flags.HasFlag(PositionFlags.CarriageReturn))
        {
            expected[at++] = (byte)'\r';
        }
        if (at < expected.Length)
        {
            expected[at] = (byte)'\n';
        }
        byte[] there = new byte[expected.Length];
        int read = file.ReadFully(there, begin);
        int same = there.AsSpan(0, read).CommonPrefixLength(expected);
        long end = begin + same;
        bool isLineEnded = same >= text && same < read && there[same] == (byte)'\n';
        // The line is all there, though it lost its carriage return.
        long goOn = isLineEnded ? end + 1 : same < read ? Math.Min(position.LineBegin, end) : end;
        bool endsInside = same == read && same < text && end > position.LineBegin;
        goOn = isLive && endsInside ? position.LineBegin : goOn;
        goOn = goOn <= begin ? Math.Min(position.CoveredBegin, position.LineBegin) : goOn; // nothing of it is there, and perhaps not all that lies before it
        return new Compared(position.CoveredBegin, recordEnd, goOn, same == read);
    }

    /// <summary>
    /// A record whose value is not the file's bytes: where they are not all there, all of it is read again, unless nothing but its line's end is
    /// missing or another one.
    /// </summary>
    private static Compared CompareSum(IFile file, in RecordPosition position, long until)
    {
        long end = Math.Min(position.End, until);
        byte[] bytes = new byte[Math.Max(0, end - position.FileBegin)];
        int read = file.ReadFully(bytes, position.FileBegin);
        bool isThere = read == bytes.Length;
        if (isThere && (end < position.End || position.FileSum is 0 || RecordSum.OfFile(bytes) == position.FileSum))
        {
            return new Compared(position.CoveredBegin, end, end, EndsHere: false);
        }
        return end == position.End && position.FileSum != 0 && BehindItsText(bytes, read, position.FileSum) is int text
            ? new Compared(position.CoveredBegin, end, position.FileBegin + text, EndsHere: text == read)
            : new Compared(position.CoveredBegin, end, Math.Min(position.CoveredBegin, position.LineBegin), !isThere);
    }

    /// <summary>
    /// Where to go on behind a record whose text is all there, though its line's end is not: at the end of the file, or behind the line feed that
    /// its application wrote anew. Null when the text is not there: with no line's end, in any encoding, it has the record's sum.
    /// </summary>
    private static int? BehindItsText(ReadOnlySpan<byte> bytes, int read, int sum)
    {
        foreach (byte[] lineEnd in s_lineEnds)
        {
            int text = bytes.Length - lineEnd.Length;
            ReadOnlySpan<byte> lineFeed = lineEnd.AsSpan(lineEnd.Contains((byte)0) ? lineEnd.Length - 2 : lineEnd.Length - 1);
            bool isEnded = text >= 0 && text < read && bytes[text..read].StartsWith(lineFeed);
            if (text >= 0 && (text == read || isEnded) && RecordSum.OfFile([.. bytes[..text], .. lineEnd]) == sum)
            {
                return isEnded ? text + lineFeed.Length : text;
            }
        }
        return null;
    }

    /// <summary>A record held against a file: where to go on if it is the first that differs, and whether the file ends before it differs.</summary>
    private sealed record Compared(long Begin, long End, long GoOn, bool EndsHere)
    {
        public bool IsSame => GoOn >= End;

        /// <summary>Whether the file has any of it.</summary>
        public bool Proves => GoOn > Begin;
    }
}
