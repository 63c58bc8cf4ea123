using System.Buffers;
using System.Runtime.InteropServices;

namespace LogPipeline.Agent.Shaping.Redaction;

/// <summary>
/// Applies redactions to a text, one after the other, and tells where the text may be cut without a match on both sides of the cut: a secret cut in two
/// would be found in neither part. From such a place on a search finds what it would find in the whole text, so nothing needs to be kept from part to part.
/// </summary>
internal sealed class MatchBorders(IReadOnlyList<IRedaction> redactions)
{
    private static readonly Comparer<RedactionMatch> ByBegin = Comparer<RedactionMatch>.Create(static (a, b) => a.Begin.CompareTo(b.Begin));

    private readonly ArrayBufferWriter<byte>[] _redacted = [new(), new()];
    private readonly List<RedactionMatch>[] _matches = [.. redactions.Select(static _ => new List<RedactionMatch>())]; // of each redaction, in the text that those before it left
    private readonly List<RedactionMatch> _whole = []; // of all, in the text itself; overlapping ones are one

    /// <summary>A text without what is not to leave the host; good until the next call.</summary>
    public ReadOnlySpan<byte> Redact(ReadOnlySpan<byte> text, out bool isChanged)
    {
        isChanged = false;
        int turn = 0;
        for (int i = 0; i < redactions.Count; i++)
        {
            List<RedactionMatch> matches = _matches[i];
            matches.Clear();
            redactions[i].Find(text, matches);
            if (matches.Count > 0)
            {
                text = Replace(text, matches, redactions[i].Replacement.Span, _redacted[turn]);
                (isChanged, turn) = (true, 1 - turn);
            }
        }
        return text;
    }

    /// <summary>Searches a text for the questions below.</summary>
    public void Search(ReadOnlySpan<byte> text)
    {
        Redact(text, out _);
        _whole.Clear();
        for (int i = 0; i < redactions.Count; i++)
        {
            List<RedactionMatch> found = [.. _matches[i]];
            for (int before = i - 1; before >= 0; before--)
            {
                MapBack(found, _matches[before], redactions[before].Replacement.Length);
            }
            _whole.AddRange(found);
        }
        Join(_whole);
    }

    /// <summary>The nearest place at or before <paramref name="at"/> that lies in no match; 0 where a match from the begin on reaches beyond it.</summary>
    public int Before(int at) => MatchAround(at) is RedactionMatch match ? match.Begin : at;

    /// <summary>The nearest place at or behind <paramref name="at"/> that lies in no match.</summary>
    public int After(int at) => MatchAround(at) is RedactionMatch match ? match.End : at;

    private static ReadOnlySpan<byte> Replace(ReadOnlySpan<byte> text, List<RedactionMatch> matches, ReadOnlySpan<byte> replacement, ArrayBufferWriter<byte> to)
    {
        to.ResetWrittenCount();
        int written = 0;
        foreach (RedactionMatch match in matches)
        {
            to.Write(text[written..match.Replaced]);
            to.Write(replacement);
            written = match.End;
        }
        to.Write(text[written..]);
        return to.WrittenSpan;
    }

    /// <summary>Turns ranges of a text in which matches were replaced into those of the text before; what begins or ends in a replacement has all of that match.</summary>
    private static void MapBack(List<RedactionMatch> ranges, List<RedactionMatch> matches, int replacement)
    {
        int passed = 0;
        int grown = 0; // bytes that the text became longer by, up to there
        foreach (ref RedactionMatch range in CollectionsMarshal.AsSpan(ranges))
        {
            int begin = Back(range.Begin, isEnd: false);
            range = new RedactionMatch(begin, begin, Back(range.End, isEnd: true));
        }

        int Back(int at, bool isEnd)
        {
            while (passed < matches.Count && matches[passed].Replaced + grown + replacement <= at)
            {
                grown += replacement - (matches[passed].End - matches[passed].Replaced);
                passed++;
            }
            return passed == matches.Count || at <= matches[passed].Replaced + grown ? at - grown
                : isEnd ? matches[passed].End : matches[passed].Replaced;
        }
    }

    private static void Join(List<RedactionMatch> ranges)
    {
        ranges.Sort(ByBegin);
        int count = 0;
        foreach (RedactionMatch range in CollectionsMarshal.AsSpan(ranges))
        {
            if (count > 0 && range.Begin < ranges[count - 1].End)
            {
                ranges[count - 1] = ranges[count - 1] with { End = Math.Max(ranges[count - 1].End, range.End) };
            }
            else
            {
                ranges[count++] = range;
            }
        }
        ranges.RemoveRange(count, ranges.Count - count);
    }

    private RedactionMatch? MatchAround(int at)
    {
        int found = _whole.BinarySearch(new RedactionMatch(at, at, at), ByBegin);
        int before = (found < 0 ? ~found : found) - 1; // the last that begins before
        return before >= 0 && _whole[before].End > at ? _whole[before] : null;
    }
}
