using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace LogPipeline.Agent.Shaping;

/// <summary>
/// A regular expression over lines of UTF-8. The engine takes time in proportion to the line, whatever the expression, so that no line can
/// hold the agent up; it knows no look-around and no back-references. Not for several threads.
/// </summary>
public sealed class LinePattern
{
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    private readonly Regex _regex;
    private char[] _characters = [];

    /// <exception cref="ArgumentException">It is no expression; the message says why.</exception>
    public LinePattern(string expression)
    {
        try
        {
            _regex = new Regex(expression, Options);
        }
        catch (NotSupportedException)
        {
            throw new ArgumentException("look-around, back-references and atomic groups are not known here: each line is searched once, from its begin to its end");
        }
    }

    /// <summary>The expression as it was written.</summary>
    public string Expression => _regex.ToString();

    /// <summary>The first group of the first match, or all of it where the expression has no group; null where nothing matches.</summary>
    public string? FirstGroup(ReadOnlySpan<byte> line)
    {
        Match match = _regex.Match(Encoding.UTF8.GetString(line));
        return match.Success ? match.Groups[match.Groups.Count > 1 ? 1 : 0].Value : null;
    }

    /// <summary>Writes a line with all matches replaced; false, and nothing written, where there is none.</summary>
    public bool TryReplace(ReadOnlySpan<byte> line, ReadOnlySpan<byte> replacement, ArrayBufferWriter<byte> to)
    {
        ReadOnlySpan<char> text = Characters(line);
        int written = 0;
        bool isFound = false;
        foreach (ValueMatch match in _regex.EnumerateMatches(text))
        {
            if (match.Length > 0)
            {
                Encoding.UTF8.GetBytes(text[written..match.Index], to);
                to.Write(replacement);
                (written, isFound) = (match.Index + match.Length, true);
            }
        }
        if (isFound)
        {
            Encoding.UTF8.GetBytes(text[written..], to);
        }
        return isFound;
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
}
