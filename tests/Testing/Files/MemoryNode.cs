using LogPipeline.Files;

namespace LogPipeline.Testing.Files;

/// <summary>An inode: a file or a directory. The disk's lock guards it.</summary>
internal abstract class MemoryNode(ulong inode, long birthTime)
{
    public ulong Inode { get; set; } = inode;

    public abstract FileKind Kind { get; }

    /// <summary>Nanoseconds since 1970.</summary>
    public long BirthTime { get; } = birthTime;

    public long ModifiedTime { get; set; } = birthTime;

    /// <summary>Names that processes see; 0 once deleted.</summary>
    public int Links { get; set; }

    public int Handles { get; set; }
}

/// <summary>A directory: the names that processes see, and those that the disk will remember.</summary>
internal sealed class MemoryDirectory(ulong inode, long birthTime) : MemoryNode(inode, birthTime)
{
    public override FileKind Kind => FileKind.Directory;

    public Dictionary<string, MemoryNode> Names { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, MemoryNode> DurableNames { get; } = new(StringComparer.Ordinal);

    /// <summary>In ordinal order, so that no hash seed decides what a simulation does.</summary>
    public List<KeyValuePair<string, MemoryNode>> SortedNames()
    {
        var sorted = new List<KeyValuePair<string, MemoryNode>>(Names);
        sorted.Sort(static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        return sorted;
    }
}

/// <summary>A file: the bytes that processes see, the bytes on the disk, and what lies between. Or a pipe, which has none.</summary>
internal sealed class MemoryContent(ulong inode, long birthTime, FileKind kind = FileKind.Regular) : MemoryNode(inode, birthTime)
{
    private const int Sector = 512;

    public override FileKind Kind => kind;

    // A write with its bytes, or a new length when Bytes is null; what the disk has not been told to keep yet.
    private readonly List<(long Position, byte[]? Bytes)> _pending = [];
    private byte[] _seen = [];
    private byte[] _durable = [];
    private long _durableLength;
    private long _flushes;

    public long Length { get; private set; }

    public bool IsDirty => _pending.Count > 0;

    public int Read(Span<byte> buffer, long position)
    {
        int count = (int)Math.Clamp(Length - position, 0, buffer.Length);
        _seen.AsSpan((int)Math.Min(position, Length), count).CopyTo(buffer);
        return count;
    }

    public void Write(ReadOnlySpan<byte> bytes, long position)
    {
        _pending.Add((position, bytes.ToArray()));
        Length = Put(ref _seen, Length, bytes, position);
    }

    public void SetLength(long length)
    {
        if (length != Length)
        {
            _pending.Add((length, null));
            Length = Resize(ref _seen, Length, length);
        }
    }

    /// <summary>What a flush that begins now will make durable.</summary>
    public (long Flushes, int Count) Mark() => (_flushes, _pending.Count);

    /// <summary>Makes durable what was there at the mark; another flush may have done so meanwhile.</summary>
    public void Flush((long Flushes, int Count) mark)
    {
        int count = (int)(mark.Flushes + mark.Count - _flushes);
        if (count <= 0)
        {
            return;
        }
        for (int i = 0; i < count; i++)
        {
            Keep(_pending[i].Position, _pending[i].Bytes);
        }
        _pending.RemoveRange(0, count);
        _flushes += count;
    }

    /// <summary>Power fails: of what was not flushed, chance decides what the disk has.</summary>
    public void LosePower(Random random)
    {
        if (_pending.Count > 0)
        {
            switch (random.Next(4))
            {
                case 0:
                    break;
                case 1:
                    KeepFirst(_pending.Count);
                    break;
                case 2:
                    KeepTorn(random);
                    break;
                default:
                    KeepSectors(random);
                    break;
            }
            _flushes += _pending.Count;
            _pending.Clear();
        }
        _seen = _durable.AsSpan(0, (int)_durableLength).ToArray();
        Length = _durableLength;
        Handles = 0;
    }

    /// <summary>Flips bits where the disk has them.</summary>
    public void Corrupt(long position, byte mask)
    {
        Flush(Mark());
        _seen[position] ^= mask;
        _durable[position] ^= mask;
    }

    private void KeepFirst(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Keep(_pending[i].Position, _pending[i].Bytes);
        }
    }

    // The first writes are there, the next one in part.
    private void KeepTorn(Random random)
    {
        int whole = random.Next(_pending.Count);
        KeepFirst(whole);
        (long position, byte[]? bytes) = _pending[whole];
        if (bytes is not null)
        {
            Keep(position, bytes.AsSpan(0, random.Next(bytes.Length + 1)).ToArray());
        }
    }

    // A sector is written whole, as it was at some moment: with its first changes and without those after. The length may be
    // there without the bytes.
    private void KeepSectors(Random random)
    {
        var stale = new HashSet<long>();
        foreach ((long position, byte[]? bytes) in _pending)
        {
            if (bytes is null)
            {
                if (random.Next(2) == 0)
                {
                    Keep(position, null);
                }
                continue;
            }
            for (int at = 0; at < bytes.Length;)
            {
                int count = (int)Math.Min(Sector - ((position + at) % Sector), bytes.Length - at);
                long sector = (position + at) / Sector;
                if (!stale.Contains(sector) && (random.Next(2) == 0 || !stale.Add(sector)))
                {
                    Keep(position + at, bytes.AsSpan(at, count).ToArray());
                }
                at += count;
            }
        }
        if (_durableLength < Length && random.Next(2) == 0)
        {
            _durableLength = Resize(ref _durable, _durableLength, Length);
        }
    }

    private void Keep(long position, byte[]? bytes) => _durableLength = bytes is null
        ? Resize(ref _durable, _durableLength, position)
        : Put(ref _durable, _durableLength, bytes, position);

    private static long Put(ref byte[] image, long length, ReadOnlySpan<byte> bytes, long position)
    {
        long end = Math.Max(length, position + bytes.Length);
        Grow(ref image, end);
        bytes.CopyTo(image.AsSpan((int)position));
        return end;
    }

    // Bytes beyond the length are always zero, so that growing shows zeros.
    private static long Resize(ref byte[] image, long length, long newLength)
    {
        Grow(ref image, newLength);
        if (newLength < length)
        {
            image.AsSpan((int)newLength, (int)(length - newLength)).Clear();
        }
        return newLength;
    }

    private static void Grow(ref byte[] image, long length)
    {
        if (length > image.Length)
        {
            Array.Resize(ref image, checked((int)Math.Max(length, Math.Max(256, image.Length * 2L))));
        }
    }

    /// <summary>A file of its own with the bytes seen now, all durable.</summary>
    public MemoryContent Copy()
    {
        var copy = new MemoryContent(Inode, BirthTime, Kind)
        {
            ModifiedTime = ModifiedTime,
            Length = Length,
            _seen = _seen.AsSpan(0, (int)Length).ToArray(),
            _durable = _seen.AsSpan(0, (int)Length).ToArray(),
            _durableLength = Length,
        };
        return copy;
    }
}
