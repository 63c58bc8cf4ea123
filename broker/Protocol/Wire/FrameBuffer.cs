using System.Buffers.Binary;

namespace LogPipeline.Protocol.Wire;

/// <summary>
/// The bytes of one outgoing frame in a pooled buffer, and the places where record batches that stay elsewhere are spliced in.
/// The sender disposes the frame, and the frame its spliced records.
/// </summary>
public sealed class FrameBuffer : IDisposable
{
    private byte[] _bytes = PooledBytes.Rent(512);
    private List<Splice>? _splices;
    private int _spliced;

    /// <summary>Records that go out between byte <see cref="Position"/> - 1 and <see cref="Position"/> of <see cref="Bytes"/>.</summary>
    public readonly record struct Splice(int Position, RecordSet Records);

    /// <summary>Bytes in the buffer, spliced records not counted.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes that will be sent: the buffer's and the spliced ones.</summary>
    public int TotalLength => Length + _spliced;

    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, Length);

    public IReadOnlyList<Splice> Splices => _splices ?? (IReadOnlyList<Splice>)[];

    /// <summary>Room for <paramref name="size"/> more bytes, counted as written.</summary>
    public Span<byte> Append(int size)
    {
        if (size > _bytes.Length - Length)
        {
            PooledBytes.Grow(ref _bytes, checked(Length + size), keep: Length);
        }
        Length += size;
        return _bytes.AsSpan(Length - size, size);
    }

    public void AppendSplice(RecordSet records)
    {
        (_splices ??= []).Add(new Splice(Length, records));
        _spliced = checked(_spliced + records.Length);
    }

    /// <summary>Copies the whole frame, spliced records in their places.</summary>
    /// <param name="to">At least <see cref="TotalLength"/> bytes.</param>
    /// <exception cref="IOException">Spliced records cannot be read.</exception>
    public void CopyTo(Span<byte> to)
    {
        int from = 0;
        foreach (Splice splice in Splices)
        {
            Bytes.Span[from..splice.Position].CopyTo(to);
            to = to[(splice.Position - from)..];
            from = splice.Position;
            splice.Records.CopyTo(to);
            to = to[splice.Records.Length..];
        }
        Bytes.Span[from..].CopyTo(to);
    }

    /// <summary>Writes the frame's size, all that follows the first four bytes, into the first four bytes.</summary>
    public void SealSize() => BinaryPrimitives.WriteInt32BigEndian(_bytes, TotalLength - 4);

    public void Dispose()
    {
        byte[] bytes = Interlocked.Exchange(ref _bytes, []);
        if (bytes.Length == 0)
        {
            return; // disposed before
        }
        PooledBytes.Return(ref bytes);
        foreach (Splice splice in Splices)
        {
            splice.Records.Source?.Dispose();
        }
    }
}
