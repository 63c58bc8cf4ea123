using System.Text;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Cli.Printing;

/// <summary>Walks a record's encoded headers: for each a zigzag length and the key, then a zigzag length (-1 = null) and the value.</summary>
internal struct HeaderCursor(ReadOnlyMemory<byte> headers)
{
    private ReadOnlyMemory<byte> _rest = headers;

    public (string Key, ReadOnlyMemory<byte>? Value) Next()
    {
        ReadOnlyMemory<byte> key = NextBytes() ?? throw new InvalidDataException("a record's header has no name");
        return (Encoding.UTF8.GetString(key.Span), NextBytes());
    }

    private ReadOnlyMemory<byte>? NextBytes()
    {
        if (!Varint.TryRead(_rest.Span, out long length, out int size) || length > _rest.Length - size)
        {
            throw new InvalidDataException("a record's headers do not end where they should");
        }
        ReadOnlyMemory<byte>? bytes = length < 0 ? (ReadOnlyMemory<byte>?)null : _rest.Slice(size, (int)length);
        _rest = _rest[(size + (int)Math.Max(length, 0))..];
        return bytes;
    }
}
