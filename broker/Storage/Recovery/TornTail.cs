using System.Buffers.Binary;
using LogPipeline.Files;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Recovery;

/// <summary>
/// Tells what a crash did to the end of a log from damage to acknowledged data. A crash leaves sectors of what was being written
/// unwritten: the file ends inside a batch, or a sector reads as zeros. A flipped bit, or a length that lies, looks different,
/// and cutting there would drop acknowledged records silently: that is refused.
/// </summary>
internal static class TornTail
{
    private const int Sector = 512;
    private const int OffsetAndLengthSize = 12;

    /// <param name="file">A segment's file.</param>
    /// <param name="position">Where its sound batches end.</param>
    /// <param name="fileLength">Where the file ends.</param>
    /// <param name="expectedOffset">Of the next batch.</param>
    /// <param name="problem">Why there is no sound batch, for people.</param>
    /// <exception cref="CorruptLogException">The bytes from there on are no torn tail.</exception>
    public static void Require(IFile file, long position, long fileLength, long expectedOffset, string problem)
    {
        long rest = fileLength - position;
        if (rest < RecordBatch.HeaderSize)
        {
            return;
        }
        Span<byte> start = stackalloc byte[RecordBatch.HeaderSize];
        file.ReadFully(start, position);
        bool plausible = BatchHeader.TryParse(start, out BatchHeader header) && header.BaseOffset == expectedOffset;
        long extent = plausible ? Math.Min(header.SizeInBytes, rest) : RecordBatch.HeaderSize;
        if (HasLostSector(file, position, position + extent, fileLength, expectedOffset))
        {
            return;
        }
        if (plausible && header.SizeInBytes > rest && !LengthLies(file, position, fileLength, in header))
        {
            return;
        }
        throw new CorruptLogException(file.Path, position, expectedOffset, problem);
    }

    // A sector that was not written is zero from its start, or from where the flushed part of it ends, to its end.
    private static bool HasLostSector(IFile file, long from, long to, long fileLength, long expectedOffset)
    {
        Span<byte> sector = stackalloc byte[Sector];
        for (long at = from; at < to;)
        {
            long end = Math.Min(at - (at % Sector) + Sector, fileLength);
            Span<byte> bytes = sector[..(int)(end - at)];
            file.ReadFully(bytes, at);
            if (bytes.IndexOfAnyExcept((byte)0) < 0 && (at > from || WasMeantToHold(bytes.Length, expectedOffset)))
            {
                return true;
            }
            at = end;
        }
        return false;
    }

    // The first bytes of a batch are zero anyway: high bytes of its offset.
    private static bool WasMeantToHold(int length, long expectedOffset)
    {
        Span<byte> offset = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(offset, expectedOffset);
        return length >= OffsetAndLengthSize || offset[..Math.Min(length, 8)].IndexOfAnyExcept((byte)0) >= 0;
    }

    // The batch claims to reach beyond the end of the file. If it is sound when it ends with the file, or another batch follows
    // inside it, then the length is what is damaged.
    private static bool LengthLies(IFile file, long position, long fileLength, in BatchHeader header)
    {
        byte[] bytes = new byte[(int)Math.Min(fileLength - position, 64 << 20)];
        file.ReadFully(bytes, position);
        Span<byte> next = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(next, header.NextOffset);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), bytes.Length - OffsetAndLengthSize);
        if (RecordBatch.CrcIsValid(bytes))
        {
            return true;
        }
        for (int at = RecordBatch.HeaderSize; at + RecordBatch.HeaderSize <= bytes.Length; at++)
        {
            int found = bytes.AsSpan(at).IndexOf(next);
            if (found < 0)
            {
                return false;
            }
            at += found;
            if (BatchHeader.TryParse(bytes.AsSpan(at), out BatchHeader following)
                && following.SizeInBytes <= bytes.Length - at
                && RecordBatch.CrcIsValid(bytes.AsSpan(at, following.SizeInBytes)))
            {
                return true;
            }
        }
        return false;
    }
}
