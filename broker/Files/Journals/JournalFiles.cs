using System.Globalization;

namespace LogPipeline.Files.Journals;

/// <summary>
/// The files of a journal, <c>00.journal</c>, <c>01.journal</c> …, written from start to end one after another, and again from the
/// start when all they hold is safe elsewhere. A new file is written whole with zeros and synced once: overwriting it later changes
/// no metadata, so that a sync costs the file system no commit of its own journal.
/// </summary>
/// <remarks>The commit under way uses it without a lock; <see cref="Written"/> and <see cref="Frees"/> are called under the journal's.</remarks>
internal sealed class JournalFiles(IFileSystem files, string directory, int fileBytes, int filesMax) : IDisposable
{
    public const string Suffix = ".journal";
    private const int CountMax = 100;
    private const int ZerosBytes = 1 << 20;

    private readonly IFile?[] _files = new IFile?[filesMax];
    private readonly long[] _lastCommits = new long[filesMax]; // by file; 0 = none that counts
    private int _count;
    private int _current;
    private long _position = fileBytes; // in the current file; nothing fits before the first one is chosen

    public static string PathOf(string directory, int index) => $"{directory}/{index:D2}{Suffix}";

    /// <summary>How many files there are, counting those that are missing before the last one.</summary>
    public static int CountIn(IFileSystem files, string directory)
    {
        int count = 0;
        foreach (DirectoryEntry entry in files.List(directory))
        {
            if (entry.Name.EndsWith(Suffix, StringComparison.Ordinal)
                && int.TryParse(entry.Name.AsSpan(0, entry.Name.Length - Suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int index)
                && index < CountMax)
            {
                count = Math.Max(count, index + 1);
            }
        }
        return count;
    }

    /// <summary>Takes up the files that are there.</summary>
    /// <param name="lastCommits">By file, the newest commit in it that counts; 0 when there is none.</param>
    /// <param name="current">The file that the newest commit is in.</param>
    /// <param name="position">Where that commit ends.</param>
    public void Adopt(IReadOnlyList<long> lastCommits, int current, long position)
    {
        for (int i = 0; i < lastCommits.Count; i++)
        {
            _files[i] = files.Open(PathOf(directory, i), FileOpenMode.ReadWrite);
            _lastCommits[i] = lastCommits[i];
        }
        _count = lastCommits.Count;
        (_current, _position) = (current, position);
    }

    /// <summary>Chooses where a commit goes; it is not written yet.</summary>
    /// <param name="length">Its bytes, at most the size of a file.</param>
    /// <param name="safe">Files whose commits all lie below it are free.</param>
    /// <returns>Null when there is no room before more is safe.</returns>
    public JournalPlace? Place(int length, long safe)
    {
        if (_position + length > fileBytes)
        {
            int next = Next(safe);
            if (next < 0 && (_count == filesMax || !TryMake()))
            {
                return null;
            }
            _current = next < 0 ? _count - 1 : next;
            _position = 0;
        }
        IFile file = _files[_current]!;
        if (_position == 0 && file.Length < fileBytes)
        {
            Fill(file); // a crash left it short while it was made
        }
        return new JournalPlace(file, _current, _position);
    }

    /// <summary>A commit was written where <see cref="Place"/> said.</summary>
    public void Written(int length, long commit)
    {
        _position += length;
        _lastCommits[_current] = commit;
    }

    /// <summary>Whether a file becomes free when commits below <paramref name="next"/> are safe instead of those below <paramref name="safe"/>.</summary>
    public bool Frees(long safe, long next) => Array.Exists(_lastCommits, last => last >= safe && last < next);

    public void Dispose()
    {
        foreach (IFile? file in _files)
        {
            file?.Dispose();
        }
    }

    // In turn, the current one last: it is free when the disk had no room for a second file.
    private int Next(long safe)
    {
        for (int i = 1; i <= _count; i++)
        {
            int index = (_current + i) % _count;
            if (_lastCommits[index] < safe)
            {
                return index;
            }
        }
        return -1;
    }

    // False when the disk is full and the files that are there will do.
    private bool TryMake()
    {
        string path = PathOf(directory, _count);
        IFile file = files.Open(path, FileOpenMode.ReadWrite);
        try
        {
            Fill(file);
        }
        catch (IOException e)
        {
            file.Dispose();
            files.Delete(path);
            if (e.IsDiskFull() && _count > 0)
            {
                return false;
            }
            throw;
        }
        _files[_count++] = file;
        return true;
    }

    private void Fill(IFile file)
    {
        byte[] zeros = new byte[Math.Min(fileBytes, ZerosBytes)];
        for (long position = 0; position < fileBytes; position += zeros.Length)
        {
            file.Write(zeros.AsSpan(0, (int)Math.Min(zeros.Length, fileBytes - position)), position);
        }
        file.Flush();
        files.FlushDirectory(directory);
    }
}

/// <summary>Where a commit goes.</summary>
internal readonly record struct JournalPlace(IFile File, int Index, long Position);
