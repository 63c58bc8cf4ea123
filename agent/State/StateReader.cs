using System.Buffers.Binary;
using LogPipeline.Files;

namespace LogPipeline.Agent.State;

/// <summary>Reads what <see cref="StateWriter"/> wrote: a frame at a time, then its fields. A field beyond the frame is damage.</summary>
internal ref struct StateReader(ReadOnlySpan<byte> payload)
{
    private ReadOnlySpan<byte> _rest = payload;

    /// <summary>What lies at the start of <paramref name="bytes"/>.</summary>
    public static FrameResult TryFrame(ReadOnlySpan<byte> bytes, out FrameKind kind, out ReadOnlySpan<byte> payload, out int size)
    {
        kind = default;
        payload = default;
        size = 0;
        if (bytes.Length < StateWriter.FrameHeader)
        {
            return bytes.ContainsAnyExcept((byte)0) ? FrameResult.Damaged : FrameResult.End;
        }
        uint length = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        if (length == 0)
        {
            return bytes.ContainsAnyExcept((byte)0) ? FrameResult.Damaged : FrameResult.End;
        }
        if (length > bytes.Length - StateWriter.FrameHeader)
        {
            return FrameResult.Damaged;
        }
        ReadOnlySpan<byte> body = bytes.Slice(StateWriter.FrameHeader, (int)length);
        if (Checksum.Of(body) != BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]))
        {
            return FrameResult.Damaged;
        }
        kind = (FrameKind)body[0];
        payload = body[1..];
        size = StateWriter.FrameHeader + (int)length;
        return FrameResult.Frame;
    }

    /// <summary>Whether all fields are read: an earlier version wrote no more.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    public byte Byte() => Take(1)[0];

    public short Int16() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

    public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

    public Guid Guid() => new(Take(16), bigEndian: true);

    public string String() => PathText.Decode(Take(Int16()));

    public ReadOnlySpan<byte> Bytes() => Take(Int32());

    private ReadOnlySpan<byte> Take(int size)
    {
        if (size < 0 || size > _rest.Length)
        {
            throw new StateDamagedException("a field runs beyond its frame");
        }
        ReadOnlySpan<byte> taken = _rest[..size];
        _rest = _rest[size..];
        return taken;
    }
}

internal enum FrameResult
{
    Frame,

    /// <summary>Only zeros from here on.</summary>
    End,

    /// <summary>Neither a frame nor the end: a torn write, or a disk that changed its mind.</summary>
    Damaged,
}

/// <summary>A state file does not hold what was written.</summary>
internal sealed class StateDamagedException(string message) : Exception(message);

/// <summary>The state directory was written by an agent whose format this one does not know: a newer one, before a downgrade. Nothing in it was changed.</summary>
internal sealed class StateVersionException(string message) : IOException(message);
