using System.Buffers;
using System.Buffers.Binary;

namespace LogPipeline.Sinks.Files.Parts;

/// <summary>What readers may leave a row group out by.</summary>
/// <param name="Nulls">Rows without a value.</param>
/// <param name="Least">The least value as it is stored; null: not told.</param>
/// <param name="Greatest">The greatest value as it is stored; null: not told.</param>
internal sealed record PartStatistics(long Nulls, long? Least, long? Greatest)
{
    /// <summary>As a struct of Thrift's compact protocol: null_count is field 3, max_value field 5, min_value field 6.</summary>
    public void Write(ArrayBufferWriter<byte> to)
    {
        to.Write((ReadOnlySpan<byte>)[0x36]); // field 3 from 0, a number
        ulong zigzag = (ulong)Nulls << 1;
        for (; zigzag >= 0x80; zigzag >>= 7)
        {
            to.Write((ReadOnlySpan<byte>)[(byte)(zigzag | 0x80)]);
        }
        to.Write((ReadOnlySpan<byte>)[(byte)zigzag]);
        if (Least is { } least && Greatest is { } greatest)
        {
            Write(to, 0x28, greatest); // field 5 from 3, bytes
            Write(to, 0x18, least); // field 6 from 5, bytes
        }
        to.Write((ReadOnlySpan<byte>)[0]);
    }

    private static void Write(ArrayBufferWriter<byte> to, byte header, long value)
    {
        Span<byte> bytes = stackalloc byte[10];
        (bytes[0], bytes[1]) = (header, sizeof(long));
        BinaryPrimitives.WriteInt64LittleEndian(bytes[2..], value);
        to.Write((ReadOnlySpan<byte>)bytes);
    }
}
