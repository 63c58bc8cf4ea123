using System.Buffers.Binary;
using System.Numerics;
using LogPipeline.Files;

namespace LogPipeline.Agent.State;

/// <summary>
/// Writes frames of the agent's state files into one growing buffer. A frame:
/// <code>
///   0  length   u32  of kind and payload; 0 = nothing written from here on (files are extended with zeros)
///   4  crc      u32  CRC-32C of kind and payload
///   8  kind     u8   FrameKind
///   9  payload       big-endian; strings are UTF-8 behind a u16 length
/// </code>
/// </summary>
internal sealed class StateWriter
{
    public const int FrameHeader = 8;

    private byte[] _bytes = new byte[4096];
    private int _length;
    private int _frame = -1;

    public int Length => _length;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    public void Clear()
    {
        _length = 0;
        if (_bytes.Length > 4 << 20)
        {
            _bytes = new byte[4096];
        }
    }

    public void Begin(FrameKind kind)
    {
        _frame = _length;
        Room(FrameHeader);
        Byte((byte)kind);
    }

    /// <summary>Seals the frame begun last; gives its whole length.</summary>
    public int End()
    {
        Span<byte> frame = _bytes.AsSpan(_frame, _length - _frame);
        Span<byte> body = frame[FrameHeader..];
        BinaryPrimitives.WriteUInt32BigEndian(frame, (uint)body.Length);
        BinaryPrimitives.WriteUInt32BigEndian(frame[4..], Checksum.Of(body));
        _frame = -1;
        return frame.Length;
    }

    public void Byte(byte value) => Room(1)[0] = value;

    public void Int16(short value) => BinaryPrimitives.WriteInt16BigEndian(Room(2), value);

    public void Int32(int value) => BinaryPrimitives.WriteInt32BigEndian(Room(4), value);

    public void Int64(long value) => BinaryPrimitives.WriteInt64BigEndian(Room(8), value);

    public void UInt64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Room(8), value);

    public void Guid(Guid value) => value.TryWriteBytes(Room(16), bigEndian: true, out _);

    public void String(string value)
    {
        int length = PathText.Length(value);
        Int16(checked((short)length));
        PathText.Encode(value, Room(length));
    }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        Int32(value.Length);
        value.CopyTo(Room(value.Length));
    }

    private Span<byte> Room(int size)
    {
        if (_bytes.Length - _length < size)
        {
            byte[] larger = GC.AllocateUninitializedArray<byte>(Math.Max(_bytes.Length * 2, _length + size));
            Written.CopyTo(larger);
            _bytes = larger;
        }
        _length += size;
        return _bytes.AsSpan(_length - size, size);
    }
}

/// <summary>What a frame holds. Values are on disk.</summary>
internal enum FrameKind : byte
{
    RegistryHeader = 1,
    Generation = 2,
    Log = 3,
    RegistryEnd = 4,
    Entry = 16,
    Acked = 17,
    Fence = 18,
    SegmentHeader = 19,
    GenerationNote = 20,
    ForgottenNote = 21,
    Start = 22,
}

/// <summary>CRC-32C as the processor computes it.</summary>
internal static class Checksum
{
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        while (bytes.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }
        foreach (byte b in bytes)
        {
            crc = BitOperations.Crc32C(crc, b);
        }
        return ~crc;
    }
}
