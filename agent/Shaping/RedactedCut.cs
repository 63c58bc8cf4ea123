using System.Buffers;
using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Shaping.Redaction;

namespace LogPipeline.Agent.Shaping;

/// <summary>
/// Cuts a long line outside of all matches of its redactions, and where it can before a word: a pattern may ask for a word's border, and of a number
/// no part is a card. Depends on nothing but the bytes from the last cut on, so that a line which is read again is cut in the same places.
/// </summary>
internal sealed class RedactedCut(MatchBorders borders) : ILineCut
{
    private readonly ArrayBufferWriter<byte> _decoded = new();

    public int LengthOf(ReadOnlySpan<byte> text, int most, bool isEnd, TextDecoder? encoding)
    {
        if (encoding is null)
        {
            return Choose(text, most, isEnd);
        }
        int decodedMost = Decode(encoding, text[..most]).Length;
        ReadOnlySpan<byte> decoded = Decode(encoding, text);
        int length = decoded.Length;
        int chosen = Choose(decoded, decodedMost, isEnd);
        return chosen == decodedMost ? most : chosen == length ? text.Length : chosen == 0 ? 0 : BytesOf(encoding, text, chosen);
    }

    /// <summary>Whether the bytes on both sides of a place belong to one word or number.</summary>
    public static bool IsInWord(ReadOnlySpan<byte> text, int at) => at > 0 && at < text.Length && IsOfWord(text[at]) && IsOfWord(text[at - 1]);

    private int Choose(ReadOnlySpan<byte> text, int most, bool isEnd)
    {
        borders.Search(text);
        int word = WordBegin(text, most);
        int length = word > 0 ? borders.Before(word) : 0;
        length = length > 0 ? length : borders.Before(most);
        if (length > 0)
        {
            return length;
        }
        // A match from the part's begin on is longer than the limit: the part ends with it.
        int end = borders.After(most);
        return end < text.Length || isEnd ? end : 0;
    }

    private static int WordBegin(ReadOnlySpan<byte> text, int at)
    {
        while (IsInWord(text, at))
        {
            at--;
        }
        return at;
    }

    private static bool IsOfWord(byte b) => char.IsAsciiLetterOrDigit((char)b) || b == '_' || b >= 0x80;

    private ReadOnlySpan<byte> Decode(TextDecoder encoding, ReadOnlySpan<byte> bytes)
    {
        _decoded.ResetWrittenCount();
        encoding.Decode(bytes, _decoded, out _);
        return _decoded.WrittenSpan;
    }

    /// <summary>The longest stretch of whole characters whose text is no longer than <paramref name="textBytes"/>.</summary>
    private int BytesOf(TextDecoder encoding, ReadOnlySpan<byte> text, int textBytes)
    {
        (int least, int most) = (0, text.Length);
        while (least < most)
        {
            int half = (least + most + 1) / 2;
            int whole = encoding.WholeCharacters(text[..half]);
            if (Decode(encoding, text[..whole]).Length <= textBytes)
            {
                least = half;
            }
            else
            {
                most = half - 1;
            }
        }
        return encoding.WholeCharacters(text[..least]);
    }
}
