using System.Text;
using LogPipeline.Agent.Framing;

namespace LogPipeline.Agent.Sources;

/// <summary>
/// Makes UTF-8 of a stream before it is cut into lines, as in UTF-16 a byte 0x0A may be half of any character: of one whose encoding is named, or that
/// begins with UTF-16's byte order mark. Any other stream passes as it is. What is no character becomes U+FFFD.
/// </summary>
internal sealed class StreamDecoder
{
    private const int MarkBytes = 2;
    private const char Mark = '\uFEFF';

    private readonly StreamRest _head = new();
    private bool _isKnown;
    private bool _isBegun;
    private Decoder? _decoder;

    /// <param name="encoding">The stream's; auto = its first bytes say it.</param>
    public StreamDecoder(TextEncoding encoding = TextEncoding.Auto)
    {
        _isKnown = encoding != TextEncoding.Auto;
        _decoder = _isKnown ? TextDecoder.EncodingOf(encoding).GetDecoder() : null;
    }

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
        _decoder = TextDecoder.OfMark(head) is TextEncoding kind ? TextDecoder.EncodingOf(kind).GetDecoder() : null;
        return _decoder is null ? head : Decode(_decoder, head, isEnd: false);
    }

    /// <summary>The stream has ended: returns what waited.</summary>
    public ReadOnlySpan<byte> End() => !_isKnown ? _head.Bytes : _decoder is null ? [] : Decode(_decoder, [], isEnd: true);

    /// <summary>Decodes what came, without the mark that the stream may begin with.</summary>
    private byte[] Decode(Decoder decoder, ReadOnlySpan<byte> bytes, bool isEnd)
    {
        char[] text = new char[decoder.GetCharCount(bytes, isEnd)];
        int length = decoder.GetChars(bytes, text, isEnd);
        int mark = !_isBegun && length > 0 && text[0] == Mark ? 1 : 0;
        _isBegun |= length > 0;
        return Encoding.UTF8.GetBytes(text, mark, length - mark);
    }
}
