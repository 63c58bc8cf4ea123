using LogPipeline.Files;

namespace LogPipeline.Storage.Segments;

/// <summary>
/// A file of ascending entries of one size. The newest entries wait in memory and are written a block at a time; a flush makes
/// all durable. One writer and any number of readers: the lock guards everything. The file is open only while it is written;
/// reading borrows it from <see cref="OpenFiles"/>. The content is derived from the log and can be thrown away.
/// </summary>
internal sealed class IndexFile(IFileSystem files, OpenFiles open, string path, int entrySize)
{
    private const int TailBytesMax = 4096;

    private readonly Lock _lock = new();
    private byte[] _tail = [];
    private int _tailLength;
    private long _written; // bytes in the file that hold entries
    private bool _isLonger; // the file holds bytes beyond those, to be cut before the next write

    public string Path => path;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return CountLocked;
            }
        }
    }

    public long SizeBytes => (long)Count * entrySize;

    private int CountLocked => (int)((_written + _tailLength) / entrySize);

    /// <summary>Takes the entries on disk; false when there is no file or it is no whole number of entries.</summary>
    public bool TryLoad()
    {
        lock (_lock)
        {
            if (files.Stat(path) is not { } status)
            {
                return false;
            }
            _written = status.Length - (status.Length % entrySize);
            _tailLength = 0;
            _isLonger = _written != status.Length;
            return !_isLonger;
        }
    }

    public void Append(ReadOnlySpan<byte> entry)
    {
        lock (_lock)
        {
            if (_tailLength + entrySize > TailBytesMax)
            {
                TryWriteTail();
            }
            if (_tailLength + entrySize > _tail.Length)
            {
                Array.Resize(ref _tail, Math.Max(entrySize * 4, Math.Min(_tailLength + TailBytesMax, _tail.Length * 2)));
            }
            entry.CopyTo(_tail.AsSpan(_tailLength));
            _tailLength += entrySize;
        }
    }

    public void Read(int index, Span<byte> entry)
    {
        lock (_lock)
        {
            FileUse? file = null;
            try
            {
                Read(index, entry, ref file);
            }
            finally
            {
                file?.Dispose();
            }
        }
    }

    /// <summary>How many entries from the start satisfy the test, given that those that do come first.</summary>
    public int CountWhile<T>(EntryTest<T> test, T against)
    {
        Span<byte> entry = stackalloc byte[entrySize];
        lock (_lock)
        {
            FileUse? file = null;
            try
            {
                int low = 0;
                int high = CountLocked;
                while (low < high)
                {
                    int middle = (low + high) >>> 1;
                    Read(middle, entry, ref file);
                    (low, high) = test(middle, entry, against) ? (middle + 1, high) : (low, middle);
                }
                return low;
            }
            finally
            {
                file?.Dispose();
            }
        }
    }

    /// <summary>Forgets all entries from this one on; the file is cut when it is written the next time.</summary>
    public void Truncate(int count)
    {
        lock (_lock)
        {
            long length = (long)count * entrySize;
            if (length < _written)
            {
                _written = length;
                _tailLength = 0;
                _isLonger = true;
            }
            else
            {
                _tailLength = (int)(length - _written);
            }
        }
    }

    /// <summary>Forgets all entries, and whatever a file of an earlier time holds.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _written = 0;
            _tailLength = 0;
            _isLonger = true;
        }
    }

    /// <summary>Makes all entries durable; makes the file when it is not there.</summary>
    public void Flush()
    {
        lock (_lock)
        {
            using IFile file = files.Open(path, FileOpenMode.ReadWrite);
            WriteTail(file);
            file.Flush();
        }
    }

    /// <summary>Removes the file.</summary>
    public void Delete()
    {
        Close();
        files.Delete(path);
    }

    /// <summary>Lets go of the file that reading has opened.</summary>
    public void Close() => open.Forget(path);

    // On a full disk the entries stay in memory: the log's own write says so.
    private void TryWriteTail()
    {
        try
        {
            using IFile file = files.Open(path, FileOpenMode.ReadWrite);
            WriteTail(file);
        }
        catch (IOException e) when (e.IsDiskFull())
        {
        }
    }

    private void WriteTail(IFile file)
    {
        if (_isLonger)
        {
            file.SetLength(_written);
            _isLonger = false;
        }
        if (_tailLength > 0)
        {
            file.Write(_tail.AsSpan(0, _tailLength), _written);
            _written += _tailLength;
            _tailLength = 0;
        }
    }

    // Opens the file when the first entry on disk is asked for; the caller disposes it.
    private void Read(int index, Span<byte> entry, ref FileUse? file)
    {
        long position = (long)index * entrySize;
        if (position >= _written)
        {
            _tail.AsSpan((int)(position - _written), entrySize).CopyTo(entry);
            return;
        }
        file ??= open.Use(path);
        if (file.Value.File.ReadFully(entry[..entrySize], position) != entrySize)
        {
            throw new IOException($"{path} ends before position {position + entrySize}.");
        }
    }
}

/// <summary>Whether entry <paramref name="index"/> lies before what is looked for.</summary>
internal delegate bool EntryTest<in T>(int index, ReadOnlySpan<byte> entry, T against);
