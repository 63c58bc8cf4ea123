namespace LogPipeline.Files.Journals;

/// <summary>The frames of one commit while it is put together, and until it is durable.</summary>
internal sealed class CommitBuffer(Func<ReadOnlySpan<byte>, uint> checksum)
{
    private const int BytesMin = 16 << 10;

    private byte[] _bytes = [];
    private int _length;

    /// <summary>Frames in it.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes that the commit will take in the file.</summary>
    public int Size => JournalFrame.BlocksFor(_length + JournalFrame.HeaderSize);

    /// <summary>Bytes that the commit would take with one more frame of this payload.</summary>
    public long SizeWith(long payload) => _length + payload + (2 * JournalFrame.HeaderSize) + JournalFrame.Block;

    public void Add(ulong life, long commit, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        var frame = new JournalFrame(life, commit, Count, IsEnd: false, head.Length + body.Length);
        Span<byte> room = Room(frame.Size);
        head.CopyTo(room[JournalFrame.HeaderSize..]);
        body.CopyTo(room[(JournalFrame.HeaderSize + head.Length)..]);
        room[(JournalFrame.HeaderSize + frame.Length)..].Clear();
        frame.WriteHeader(room, checksum);
        Count++;
    }

    /// <summary>Adds the end and the zeros behind it.</summary>
    /// <returns>The whole commit, to be written as it is.</returns>
    public ReadOnlyMemory<byte> Seal(ulong life, long commit)
    {
        var end = new JournalFrame(life, commit, Count, IsEnd: true, 0);
        Span<byte> room = Room(Size - _length);
        end.WriteHeader(room, checksum);
        room[JournalFrame.HeaderSize..].Clear();
        return _bytes.AsMemory(0, _length);
    }

    public void Clear()
    {
        _length = 0;
        Count = 0;
    }

    private Span<byte> Room(int size)
    {
        int end = checked(_length + size);
        if (end > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(end, Math.Max(BytesMin, _bytes.Length * 2)));
        }
        Span<byte> room = _bytes.AsSpan(_length, size);
        _length = end;
        return room;
    }
}
