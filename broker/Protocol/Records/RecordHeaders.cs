using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Records;

/// <summary>Record headers encoded ahead: <c>varint key length, key, varint value length, value</c>, one after another.</summary>
public static class RecordHeaders
{
    /// <summary>Bytes that one header takes.</summary>
    public static int Size(int keyLength, int valueLength) =>
        Varint.Size(keyLength) + keyLength + Varint.Size(valueLength) + valueLength;

    /// <summary>Writes one header and returns its length in bytes.</summary>
    public static int Write(Span<byte> to, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        int at = Varint.Write(to, key.Length);
        key.CopyTo(to[at..]);
        at += key.Length;
        at += Varint.Write(to[at..], value.Length);
        value.CopyTo(to[at..]);
        return at + value.Length;
    }
}
