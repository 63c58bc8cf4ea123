using LogPipeline.Files;

namespace LogPipeline.Storage.Segments;

/// <summary>
/// A file of ascending entries of one size. The newest entries wait in memory and are written a block at a time; a flush makes
/// all durable. One writer and any number of readers: the lock guards everything. The content is derived from the log and can be
/// thrown away.
/// </summary>
internal sealed class IndexFile(IFileSystem files, string path, int entrySize) : IDisposable
{
    private const int TailBytesMax = 4096;

    private readonly Lock _lock = new();
    private byte[] _tail = [];
    private int _tailLength;
    private long _written; // bytes in the file that hold entries
    private IFile? _file;

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

    /// <summary>Opens what is on disk; false when there is no file or it is no whole number of entries.</summary>
    public bool TryLoad()
    {
        lock (_lock)
        {
            if (_file is not null)
            {
                return true;
            }
            if (!files.FileExists(path))
            {
                return false;
            }
            _file = files.Open(path, FileOpenMode.ReadWrite);
            _written = _file.Length;
            return _written % entrySize == 0;
        }
    }

    public void Append(ReadOnlySpan<byte> entry)
    {
        lock (_lock)
        {
            if (_tailLength + entrySize > TailBytesMax)
            {
                WriteTail();
            }
            if (_tailLength + entrySize > _tail.Length)
            {
                Array.Resize(ref _tail, Math.Max(entrySize * 4, Math.Min(TailBytesMax, _tail.Length * 2)));
            }
            entry.CopyTo(_tail.AsSpan(_tailLength));
            _tailLength += entrySize;
        }
    }

    public void Read(int index, Span<byte> entry)
    {
        lock (_lock)
        {
            ReadLocked(index, entry);
        }
    }

    /// <summary>How many entries from the start satisfy the test, given that those that do come first.</summary>
    public int CountWhile<T>(EntryTest<T> test, T against)
    {
        Span<byte> entry = stackalloc byte[entrySize];
        lock (_lock)
        {
            int low = 0;
            int high = CountLocked;
            while (low < high)
            {
                int middle = (low + high) >>> 1;
                ReadLocked(middle, entry);
                if (test(middle, entry, against))
                {
                    low = middle + 1;
                }
                else
                {
                    high = middle;
                }
            }
            return low;
        }
    }

    /// <summary>Forgets all entries from this one on.</summary>
    public void Truncate(int count)
    {
        lock (_lock)
        {
            long length = (long)count * entrySize;
            if (length < _written)
            {
                OpenFile().SetLength(length);
                _written = length;
                _tailLength = 0;
            }
            else
            {
                _tailLength = (int)(length - _written);
            }
        }
    }

    /// <summary>Forgets all entries and whatever the file holds; makes the file when it is not there.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            OpenFile().SetLength(0);
            _written = 0;
            _tailLength = 0;
        }
    }

    public void Flush()
    {
        lock (_lock)
        {
            WriteTail();
            OpenFile().Flush();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _file?.Dispose();
        }
    }

    private void ReadLocked(int index, Span<byte> entry)
    {
        long position = (long)index * entrySize;
        if (position >= _written)
        {
            _tail.AsSpan((int)(position - _written), entrySize).CopyTo(entry);
        }
        else if (OpenFile().ReadFully(entry[..entrySize], position) != entrySize)
        {
            throw new IOException($"{path} ends before position {position + entrySize}.");
        }
    }

    private void WriteTail()
    {
        IFile file = OpenFile();
        if (_tailLength > 0)
        {
            file.Write(_tail.AsSpan(0, _tailLength), _written);
            _written += _tailLength;
            _tailLength = 0;
        }
    }

    private IFile OpenFile() => _file ??= files.Open(path, FileOpenMode.ReadWrite);
}

/// <summary>Whether entry <paramref name="index"/> lies before what is looked for.</summary>
internal delegate bool EntryTest<in T>(int index, ReadOnlySpan<byte> entry, T against);
