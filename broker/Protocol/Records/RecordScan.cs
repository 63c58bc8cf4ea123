using System.Runtime.CompilerServices;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Records;

/// <summary>
/// Holds the records of a batch against its header: lengths, offset deltas, keys, headers, and that nothing is left over. It reads the
/// length fields only, allocates nothing and copies nothing. The layout of a record is drawn at <see cref="RecordBatchBuilder"/>.
/// </summary>
public static class RecordScan
{
    /// <summary>Walks all records.</summary>
    /// <param name="records">The records, uncompressed.</param>
    /// <param name="header">Of the same batch; its count and deltas are taken as checked.</param>
    /// <param name="maxTimestamp">The largest timestamp of a record, in milliseconds since 1970.</param>
    /// <returns>What is wrong, for people; null when all is as the header says.</returns>
    public static string? Problem(ReadOnlySpan<byte> records, in BatchHeader header, out long maxTimestamp)
    {
        maxTimestamp = long.MinValue;
        int at = 0;
        for (int i = 0; i < header.RecordCount; i++)
        {
            if (!TryVarint(records, ref at, out long length) || length < 0 || length > records.Length - at)
            {
                return $"record {i}: a length of {length} bytes, where {records.Length - at} are left";
            }
            int end = at + (int)length;
            if (Record(records[..end], at, i, header.BaseTimestamp, ref maxTimestamp) is { } problem)
            {
                return $"record {i}: {problem}";
            }
            at = end;
        }
        return at == records.Length ? null : $"{records.Length - at} bytes follow the last of {header.RecordCount} records";
    }

    // One record, from its attributes on; the span ends with it.
    private static string? Record(ReadOnlySpan<byte> bytes, int at, int index, long baseTimestamp, ref long maxTimestamp)
    {
        at++; // attributes: no bit has a meaning
        if (!TryVarint(bytes, ref at, out long timestampDelta) || !TryVarint(bytes, ref at, out long offsetDelta))
        {
            return "its timestamp or offset is cut";
        }
        if (offsetDelta != index)
        {
            return $"an offset delta of {offsetDelta}";
        }
        if (!TrySkip(bytes, ref at, least: -1))
        {
            return "a key that does not fit";
        }
        if (!TrySkip(bytes, ref at, least: -1))
        {
            return "a value that does not fit";
        }
        // A header takes two bytes at least.
        if (!TryVarint(bytes, ref at, out long headers) || headers < 0 || headers > (bytes.Length - at) / 2)
        {
            return "a header count that does not fit";
        }
        for (long i = 0; i < headers; i++)
        {
            if (!TrySkip(bytes, ref at, least: 0) || !TrySkip(bytes, ref at, least: -1))
            {
                return $"header {i} has no key, or does not fit";
            }
        }
        maxTimestamp = Math.Max(maxTimestamp, unchecked(baseTimestamp + timestampDelta));
        return at == bytes.Length ? null : $"{bytes.Length - at} bytes are left over";
    }

    // Steps over a field led by its length; -1 is null.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TrySkip(ReadOnlySpan<byte> bytes, ref int at, int least)
    {
        if (!TryVarint(bytes, ref at, out long length) || length < least || length > bytes.Length - at)
        {
            return false;
        }
        at += (int)Math.Max(length, 0);
        return true;
    }

    // Nearly all varints of a record are one or two bytes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryVarint(ReadOnlySpan<byte> bytes, ref int at, out long value)
    {
        if ((uint)at < (uint)bytes.Length && bytes[at] is byte first and < 0x80)
        {
            at++;
            value = Varint.UnZigZag(first);
            return true;
        }
        if ((uint)(at + 1) < (uint)bytes.Length && bytes[at + 1] is byte second and < 0x80)
        {
            value = Varint.UnZigZag((ulong)((bytes[at] & 0x7f) | (second << 7)));
            at += 2;
            return true;
        }
        return TryLongVarint(bytes, ref at, out value);
    }

    private static bool TryLongVarint(ReadOnlySpan<byte> bytes, ref int at, out long value)
    {
        if (at > bytes.Length || !Varint.TryRead(bytes[at..], out value, out int size))
        {
            value = 0;
            return false;
        }
        at += size;
        return true;
    }
}
