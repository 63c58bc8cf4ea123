using System.Buffers;

namespace LogPipeline.Files.Journals;

/// <summary>
/// What a journal's files say at start, before a new life begins: the entries in the order they were appended, what was cut as the
/// torn tail, and what is damaged. It reads only the journal, whose size is bounded, and decides nothing.
/// </summary>
/// <remarks>
/// Tail or damage: commit N+1 was written only after the sync of N returned, so a crash can leave only the newest commit incomplete.
/// It was never reported durable, and it is left out whole. A commit that is incomplete or missing with a later one of the same
/// life behind it, or with a later life, was durable once: that is damage. What can be read of it is among the entries.
/// </remarks>
public sealed class JournalReader : IDisposable
{
    private readonly Func<ReadOnlySpan<byte>, uint> _checksum;
    private readonly List<IFile> _files = [];
    private readonly List<JournalEntry> _entries = [];
    private readonly List<JournalDamage> _damages = [];
    private readonly List<long> _lastCommits = [];

    private JournalReader(string directory, Func<ReadOnlySpan<byte>, uint> checksum) => (Directory, _checksum) = (directory, checksum);

    public string Directory { get; }

    /// <summary>Every entry that counts.</summary>
    public IReadOnlyList<JournalEntry> Entries => _entries;

    /// <summary>Commits that were durable and cannot be read whole any more.</summary>
    public IReadOnlyList<JournalDamage> Damages => _damages;

    /// <summary>The newest commit that was durable, or is now; the next life goes on behind it. 0 when there was none ever.</summary>
    public long LastCommit { get; private set; }

    /// <summary>Whether an incomplete commit was left out, as a crash leaves it.</summary>
    public bool HasTornTail { get; private set; }

    /// <summary>Whether there is no journal in the directory yet.</summary>
    public bool IsNew => Header is null;

    internal JournalHeader? Header { get; private set; }

    internal IReadOnlyList<long> LastCommits => _lastCommits;

    internal int LastFile { get; private set; }

    internal long EndPosition { get; private set; } = int.MaxValue;

    /// <summary>Reads a journal's directory; one that is not there is an empty journal. What was found is durable on return.</summary>
    /// <exception cref="InvalidDataException">The header is damaged, missing or of another version.</exception>
    public static JournalReader Open(IFileSystem files, string directory, Func<ReadOnlySpan<byte>, uint> checksum)
    {
        ArgumentNullException.ThrowIfNull(files);
        var reader = new JournalReader(directory, checksum) { Header = JournalHeader.Read(files, directory, checksum) };
        int count = JournalFiles.CountIn(files, directory);
        if (reader.Header is null)
        {
            return count == 0 ? reader : throw new InvalidDataException(
                $"{directory}/header is missing: without it the journal's files beside it cannot be read.");
        }
        try
        {
            reader.Scan(files, count, reader.Header);
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Reads an entry's payload, or the begin of it.</summary>
    /// <param name="entry">One of <see cref="Entries"/>.</param>
    /// <param name="payload">Filled; at most <see cref="JournalEntry.Length"/> bytes.</param>
    public void Read(JournalEntry entry, Span<byte> payload)
    {
        if (_files[entry.File].ReadFully(payload, entry.Position + JournalFrame.HeaderSize) != payload.Length)
        {
            throw new IOException($"{_files[entry.File].Path} ends before position {entry.Position + entry.Length}.");
        }
    }

    public void Dispose() => _files.ForEach(static file => file.Dispose());

    private void Scan(IFileSystem files, int count, JournalHeader header)
    {
        files.FlushDirectory(Directory);
        LastCommit = header.LastCertainCommit;
        var found = new List<FoundFrame>();
        byte[] bytes = header.Lives.Count == 0 ? [] : ArrayPool<byte>.Shared.Rent(header.FileBytes);
        for (int i = 0; i < count; i++)
        {
            IFile file = files.Open(JournalFiles.PathOf(Directory, i), FileOpenMode.ReadWrite);
            _files.Add(file);
            _lastCommits.Add(0);
            if (header.Lives.Count > 0)
            {
                file.Flush();
                int length = file.ReadFully(bytes.AsSpan(0, header.FileBytes), 0);
                JournalScan.Collect(bytes.AsSpan(0, length), i, header, _checksum, found);
            }
        }
        ArrayPool<byte>.Shared.Return(bytes);
        found.Sort(static (a, b) => a.Commit != b.Commit ? a.Commit.CompareTo(b.Commit) : a.Index.CompareTo(b.Index));
        CutTail(found, header);
        foreach (FoundFrame frame in found)
        {
            if (!frame.IsEnd)
            {
                _entries.Add(new JournalEntry(frame.Commit, frame.File, frame.Position, frame.Length));
            }
            _lastCommits[frame.File] = frame.Commit;
            (LastFile, EndPosition) = (frame.File, JournalFrame.BlocksFor(frame.EndPosition));
        }
        JournalScan.FindDamages(found, header.Safe, LastCommit, header.FileBytes, i => JournalFiles.PathOf(Directory, i), _damages);
    }

    // Of the newest life's newest commit, all or nothing.
    private void CutTail(List<FoundFrame> found, JournalHeader header)
    {
        if (found.Count == 0 || found[^1].Commit <= LastCommit)
        {
            return;
        }
        long newest = found[^1].Commit;
        int first = found.FindIndex(frame => frame.Commit == newest);
        bool isWhole = found[^1].IsEnd && found[^1].Index == found.Count - 1 - first;
        LastCommit = isWhole ? newest : newest - 1;
        if (!isWhole)
        {
            HasTornTail = true;
            found.RemoveRange(first, found.Count - first);
        }
    }
}

/// <summary>One payload in a journal's files.</summary>
/// <param name="Commit">The commit it was in.</param>
/// <param name="File">Index of the file.</param>
/// <param name="Position">Where its frame begins in the file, in bytes.</param>
/// <param name="Length">Bytes of payload.</param>
public readonly record struct JournalEntry(long Commit, int File, long Position, int Length);

/// <summary>Commits that were durable and are not whole any more.</summary>
/// <param name="Path">The file that the missing bytes were in, as far as what is left tells.</param>
/// <param name="Position">Where the bytes that cannot be read begin.</param>
/// <param name="Length">How many there are up to the next frame.</param>
/// <param name="FirstCommit">The first commit concerned.</param>
/// <param name="LastCommit">The last one.</param>
public readonly record struct JournalDamage(string Path, long Position, long Length, long FirstCommit, long LastCommit)
{
    /// <summary>Bytes before each payload, for an owner whose payloads tell more than the frame around them.</summary>
    public const int FrameHeaderSize = JournalFrame.HeaderSize;

    /// <summary>Bytes from the begin of a frame to the begin of the next one in the same commit.</summary>
    public static int FrameSizeOf(int payload) => JournalFrame.SizeOf(payload);
}
