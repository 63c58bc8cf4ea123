using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using LogPipeline.Agent.Shaping.Redaction;
using LogPipeline.Files;

namespace LogPipeline.Agent.Shaping;

/// <summary>
/// A regular expression over lines of UTF-8. The engine takes time in proportion to the line, whatever the expression, so that no line can
/// hold the agent up; it knows no look-around and no back-references. Not for several threads.
/// </summary>
public sealed partial class LinePattern
{
    private const int Utf8BytesMax = 4;

    private readonly Regex _regex;
    private char[] _characters = [];

    /// <exception cref="ArgumentException">It is no expression; the message says why.</exception>
    public LinePattern(string expression)
    {
        try
        {
            _regex = LinearRegex.Of(expression);
            Expression = expression;
            MatchBytesMax = BoundOf(expression);
        }
        catch (NotSupportedException)
        {
            throw new ArgumentException("look-around, back-references and atomic groups are not known here: each line is searched once, from its begin to its end");
        }
    }

    /// <summary>The expression as it was written.</summary>
    public string Expression { get; }

    /// <summary>An upper bound of what one match may take, in bytes; infinite where a repetition has no bound.</summary>
    public double MatchBytesMax { get; }

    /// <summary>The first group of the first match, or all of it where the expression has no group; null where nothing matches.</summary>
    public string? FirstGroup(ReadOnlySpan<byte> line)
    {
        Match match = _regex.Match(Encoding.UTF8.GetString(line));
        return match.Success ? match.Groups[match.Groups.Count > 1 ? 1 : 0].Value : null;
    }

    /// <summary>Adds the places of all matches in a line that are not empty.</summary>
    public void FindAll(ReadOnlySpan<byte> line, ICollection<RedactionMatch> matches)
    {
        ReadOnlySpan<char> text = Characters(line);
        int character = 0;
        int at = 0;
        foreach (ValueMatch match in _regex.EnumerateMatches(text))
        {
            if (match.Length > 0)
            {
                int begin = at + BytesOf(line[at..], match.Index - character, text.Length == line.Length);
                at = begin + BytesOf(line[begin..], match.Length, text.Length == line.Length);
                character = match.Index + match.Length;
                matches.Add(new RedactionMatch(begin, begin, at));
            }
        }
    }

    public bool IsMatch(ReadOnlySpan<byte> line) => _regex.IsMatch(Characters(line));

    /// <summary>The characters of a line; good until the next call.</summary>
    private ReadOnlySpan<char> Characters(ReadOnlySpan<byte> line)
    {
        if (_characters.Length < line.Length)
        {
            _characters = new char[Math.Max(line.Length, 2 * _characters.Length)];
        }
        return _characters.AsSpan(0, Encoding.UTF8.GetChars(line, _characters));
    }

    /// <summary>The bytes that were decoded to so many characters; bytes that are no UTF-8 were decoded to U+FFFD.</summary>
    private static int BytesOf(ReadOnlySpan<byte> line, int characters, bool isAscii)
    {
        int at = isAscii ? characters : 0;
        for (int left = isAscii ? 0 : characters; left > 0;)
        {
            Rune.DecodeFromUtf8(line[at..], out Rune rune, out int size);
            at += size;
            left -= rune.Utf16SequenceLength;
        }
        return at;
    }

    /// <summary>Each character of the expression stands for one of the line at most, unless it is repeated.</summary>
    private static double BoundOf(string expression)
    {
        string quantifiers = Literals().Replace(expression, "");
        if (quantifiers.AsSpan().IndexOfAny('*', '+') >= 0)
        {
            return double.PositiveInfinity;
        }
        double bound = Utf8BytesMax * expression.Length;
        foreach (Match repetition in Repetitions().Matches(quantifiers))
        {
            string most = repetition.Groups["most"].Success ? repetition.Groups["most"].Value : repetition.Groups["least"].Value;
            bound *= most.Length == 0 ? double.PositiveInfinity : Math.Max(1, double.Parse(most, CultureInfo.InvariantCulture));
        }
        return bound;
    }

    /// <summary>Escaped characters and classes, in which nothing is a quantifier.</summary>
    [GeneratedRegex(@"\\.|\[\^?\]?(\\.|[^\]\\])*\]", RegexOptions.Singleline)]
    private static partial Regex Literals();

    [GeneratedRegex(@"\{(?<least>\d+)(,(?<most>\d*))?\}")]
    private static partial Regex Repetitions();
}
