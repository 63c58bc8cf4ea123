using System.Text;
using LogPipeline.Agent.Framing;

namespace LogPipeline.Agent.Sources;

/// <summary>
/// Turns a stream that begins with UTF-16's byte order mark into UTF-8, before it is cut into lines: there a byte 0x0A may be half of any character.
/// Any other stream passes as it is. What is no character becomes U+FFFD.
/// </summary>
internal sealed class StreamDecoder
{
    private const int MarkBytes = 2;

    private readonly StreamRest _head = new();
    private bool _isKnown;
    private Decoder? _decoder;

    /// <summary>Returns the text of bytes that came; good until the next call. A character whose rest is to come waits for it.</summary>
    public ReadOnlySpan<byte> Add(ReadOnlySpan<byte> bytes)
    {
        if (_isKnown)
        {
            return _decoder is null ? bytes : Decode(_decoder, bytes, isEnd: false);
        }
        _head.Add(bytes);
        ReadOnlySpan<byte> head = _head.Bytes;
        if (head.Length < MarkBytes && (head.IsEmpty || head[0] is 0xfe or 0xff))
        {
            return [];
        }
        _isKnown = true;
        _decoder = TextDecoder.OfMark(head) is TextEncoding kind
            ? new UnicodeEncoding(bigEndian: kind == TextEncoding.Utf16BigEndian, byteOrderMark: false).GetDecoder() : null;
        return _decoder is null ? head : Decode(_decoder, head[MarkBytes..], isEnd: false);
    }

    /// <summary>The stream has ended: returns what waited.</summary>
    public ReadOnlySpan<byte> End() => !_isKnown ? _head.Bytes : _decoder is null ? [] : Decode(_decoder, [], isEnd: true);

    private static byte[] Decode(Decoder decoder, ReadOnlySpan<byte> bytes, bool isEnd)
    {
        char[] text = new char[decoder.GetCharCount(bytes, isEnd)];
        decoder.GetChars(bytes, text, isEnd);
        return Encoding.UTF8.GetBytes(text);
    }
}
