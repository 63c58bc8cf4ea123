namespace LogPipeline.Files.Journals;

/// <summary>A whole frame of a life and commit that count.</summary>
internal readonly record struct FoundFrame(long Commit, int Index, bool IsEnd, int File, int Position, int Length)
{
    public int EndPosition => Position + JournalFrame.SizeOf(Length);

    /// <summary>Where the next frame begins, if it is in the same file.</summary>
    public int NextPosition => IsEnd ? JournalFrame.BlocksFor(EndPosition) : EndPosition;
}

/// <summary>Finds the frames in a journal's files, and what is missing between them.</summary>
internal static class JournalScan
{
    private const int Step = 8; // frames begin at multiples of it

    /// <summary>Adds the frames of one file that count. Behind bytes that are no frame it looks for the next one at every place where one may begin.</summary>
    public static void Collect(
        ReadOnlySpan<byte> bytes, int file, JournalHeader header, Func<ReadOnlySpan<byte>, uint> checksum, List<FoundFrame> found)
    {
        int position = 0;
        while (position + JournalFrame.HeaderSize <= bytes.Length)
        {
            ulong life = JournalFrame.LifeAt(bytes[position..]);
            if (!IsKnown(header.Lives, life) || !JournalFrame.TryRead(bytes[position..], checksum, out JournalFrame frame))
            {
                position += Step;
                continue;
            }
            var here = new FoundFrame(frame.Commit, frame.Index, frame.IsEnd, file, position, frame.Length);
            if (header.LifeOf(frame.Commit)?.Id == life)
            {
                found.Add(here);
            }
            position = here.NextPosition;
        }
    }

    /// <summary>Reports each stretch of commits that is not whole.</summary>
    /// <param name="found">All frames that count, in order.</param>
    /// <param name="first">The first commit that must be there.</param>
    /// <param name="last">The last one.</param>
    /// <param name="fileBytes">Size of a file.</param>
    /// <param name="pathOf">The path of a file.</param>
    /// <param name="damages">Where the reports go.</param>
    public static void FindDamages(
        List<FoundFrame> found, long first, long last, int fileBytes, Func<int, string> pathOf, List<JournalDamage> damages)
    {
        (long Commit, int Index) expected = (first, 0);
        FoundFrame? before = null;
        foreach (FoundFrame frame in found)
        {
            if ((frame.Commit, frame.Index) != expected)
            {
                damages.Add(Between(before, frame, expected.Commit, frame.Index == 0 ? frame.Commit - 1 : frame.Commit, fileBytes, pathOf));
            }
            expected = frame.IsEnd ? (frame.Commit + 1, 0) : (frame.Commit, frame.Index + 1);
            before = frame;
        }
        if (expected.Commit <= last)
        {
            damages.Add(Between(before, null, expected.Commit, last, fileBytes, pathOf));
        }
    }

    private static bool IsKnown(IReadOnlyList<JournalLife> lives, ulong life)
    {
        for (int i = 0; i < lives.Count; i++)
        {
            if (lives[i].Id == life)
            {
                return true;
            }
        }
        return false;
    }

    private static JournalDamage Between(
        FoundFrame? before, FoundFrame? next, long firstCommit, long lastCommit, int fileBytes, Func<int, string> pathOf)
    {
        int from = before?.NextPosition ?? 0;
        if (next is { } behind && (before?.File != behind.File || behind.Position < from) && behind.Position > 0)
        {
            return new JournalDamage(pathOf(behind.File), 0, behind.Position, firstCommit, lastCommit);
        }
        int file = before?.File ?? next?.File ?? 0;
        int to = next is { } after && after.File == file && after.Position >= from ? after.Position : fileBytes;
        return new JournalDamage(pathOf(file), from, to - from, firstCommit, lastCommit);
    }
}
