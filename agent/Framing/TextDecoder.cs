using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace LogPipeline.Agent.Framing;

/// <summary>
/// Decodes the lines of one encoding to UTF-8. In all of them but UTF-16 a line feed is the byte 0x0A and nothing else is: it is no
/// second byte of any character. What is no character becomes U+FFFD. Not for several threads.
/// </summary>
internal sealed class TextDecoder
{
    private const char Replacement = '\uFFFD';
    private const byte LineFeed = (byte)'\n';
    private const byte CarriageReturn = (byte)'\r';

    private readonly TextEncoding _kind;
    private readonly Encoding _encoding;
    private readonly int _growthMax; // bytes of UTF-8 that one byte may become
    private char[] _characters = [];

    public TextDecoder(TextEncoding kind)
    {
        _kind = kind;
        _encoding = EncodingOf(kind);
        _growthMax = kind switch
        {
            TextEncoding.Utf8 => 1,
            TextEncoding.Utf16LittleEndian or TextEncoding.Utf16BigEndian or TextEncoding.Latin1 => 2,
            _ => 3,
        };
    }

    public bool IsWide => _kind is TextEncoding.Utf16LittleEndian or TextEncoding.Utf16BigEndian;

    /// <summary>Bytes of a code unit.</summary>
    public int UnitSize => IsWide ? 2 : 1;

    /// <summary>The byte order mark that a file of this encoding may begin with.</summary>
    public ReadOnlySpan<byte> Mark => _kind switch
    {
        TextEncoding.Utf16LittleEndian => [0xff, 0xfe],
        TextEncoding.Utf16BigEndian => [0xfe, 0xff],
        TextEncoding.Gb18030 => [0x84, 0x31, 0x95, 0x33],
        _ => [0xef, 0xbb, 0xbf],
    };

    /// <summary>How characters are made of bytes; bytes that are no character become U+FFFD.</summary>
    public static Encoding EncodingOf(TextEncoding kind) => kind switch
    {
        TextEncoding.Utf8 => Encoding.UTF8,
        TextEncoding.Utf16LittleEndian => new UnicodeEncoding(bigEndian: false, byteOrderMark: false),
        TextEncoding.Utf16BigEndian => new UnicodeEncoding(bigEndian: true, byteOrderMark: false),
        TextEncoding.Latin1 => Encoding.Latin1,
        TextEncoding.Gb18030 => CodePage(54936),
        TextEncoding.Gbk => CodePage(936),
        TextEncoding.Big5 => CodePage(950),
        TextEncoding.ShiftJis => CodePage(932),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>What a file's first two bytes say; null where they are no mark of UTF-16.</summary>
    public static TextEncoding? OfMark(ReadOnlySpan<byte> head) => head switch
    {
        [0xff, 0xfe, ..] => TextEncoding.Utf16LittleEndian,
        [0xfe, 0xff, ..] => TextEncoding.Utf16BigEndian,
        _ => null,
    };

    /// <summary>The longest stretch of a file whose text is sure to take no more than <paramref name="textBytesMax"/>; in whole code units.</summary>
    public int BytesFor(int textBytesMax) => textBytesMax / _growthMax / UnitSize * UnitSize;

    /// <summary>Index of the next line feed, -1 if there is none. The bytes begin with a whole code unit.</summary>
    public int FindLineFeed(ReadOnlySpan<byte> bytes)
    {
        if (!IsWide)
        {
            return bytes.IndexOf(LineFeed);
        }
        ushort feed = _kind == TextEncoding.Utf16LittleEndian == BitConverter.IsLittleEndian ? LineFeed : (ushort)(LineFeed << 8);
        int index = MemoryMarshal.Cast<byte, ushort>(bytes).IndexOf(feed);
        return index < 0 ? -1 : 2 * index;
    }

    public bool EndsInCarriageReturn(ReadOnlySpan<byte> bytes) =>
        IsWide ? bytes.Length >= 2 && UnitAt(bytes, bytes.Length - 2) == CarriageReturn : !bytes.IsEmpty && bytes[^1] == CarriageReturn;

    /// <summary>How many of these bytes are whole characters; all of them where the first is longer than that.</summary>
    public int WholeCharacters(ReadOnlySpan<byte> bytes)
    {
        int whole = _kind switch
        {
            TextEncoding.Latin1 => bytes.Length,
            TextEncoding.Utf8 => WholeOfUtf8(bytes),
            TextEncoding.Utf16LittleEndian or TextEncoding.Utf16BigEndian =>
                bytes.Length >= 2 && char.IsHighSurrogate((char)UnitAt(bytes, (bytes.Length & ~1) - 2)) ? (bytes.Length & ~1) - 2 : bytes.Length & ~1,
            _ => WholeOfDoubleBytes(bytes),
        };
        return whole == 0 ? bytes.Length : whole;
    }

    /// <summary>Appends the text of a line. False where that is the line's own bytes.</summary>
    /// <param name="line">The line's bytes.</param>
    /// <param name="to">Where its text is appended.</param>
    /// <param name="replaced">Places that were no characters.</param>
    public bool Decode(ReadOnlySpan<byte> line, ArrayBufferWriter<byte> to, out int replaced)
    {
        replaced = 0;
        if (_kind == TextEncoding.Utf8 && Utf8.IsValid(line))
        {
            to.Write(line);
            return false;
        }
        int most = _encoding.GetMaxCharCount(line.Length);
        if (_characters.Length < most)
        {
            _characters = new char[Math.Max(most, 2 * _characters.Length)];
        }
        ReadOnlySpan<char> text = _characters.AsSpan(0, _encoding.GetChars(line, _characters));
        replaced = text.Count(Replacement);
        Span<byte> room = to.GetSpan(3 * text.Length + 1);
        to.Advance(Encoding.UTF8.GetBytes(text, room));
        return true;
    }

    private static Encoding CodePage(int number) =>
        CodePagesEncodingProvider.Instance.GetEncoding(number, EncoderFallback.ReplacementFallback, new DecoderReplacementFallback(Replacement.ToString()))!;

    private ushort UnitAt(ReadOnlySpan<byte> bytes, int index) => _kind == TextEncoding.Utf16LittleEndian
        ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[index..]) : BinaryPrimitives.ReadUInt16BigEndian(bytes[index..]);

    /// <summary>How many of these bytes are whole characters, where they are UTF-8.</summary>
    public static int WholeOfUtf8(ReadOnlySpan<byte> bytes)
    {
        for (int back = 1; back <= Math.Min(3, bytes.Length); back++)
        {
            byte b = bytes[^back];
            if (b < 0x80)
            {
                break;
            }
            if (b >= 0xc0)
            {
                int length = b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : 2;
                return length > back ? bytes.Length - back : bytes.Length;
            }
        }
        return bytes.Length;
    }

    private int WholeOfDoubleBytes(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        while (at < bytes.Length)
        {
            byte lead = bytes[at];
            bool isLead = _kind == TextEncoding.ShiftJis ? lead is (>= 0x81 and <= 0x9f) or (>= 0xe0 and <= 0xfc) : lead is >= 0x81 and <= 0xfe;
            bool isLong = isLead && _kind == TextEncoding.Gb18030 && at + 1 < bytes.Length && bytes[at + 1] is >= (byte)'0' and <= (byte)'9';
            int size = isLong ? 4 : isLead ? 2 : 1;
            if (at + size > bytes.Length)
            {
                break;
            }
            at += size;
        }
        return at;
    }
}
