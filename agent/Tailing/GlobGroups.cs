using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// What the wildcards of a pattern match in a path, group by group, counted from the left: <c>*</c>, <c>?</c>, <c>[a-z]</c>, <c>{a,b}</c> and <c>**</c>.
/// Wildcards that adjoin are one group, such as <c>[0-9]*</c>; a slash parts them. Where a path can be matched in more than one way, each group takes
/// as much as it can, the left ones first.
/// </summary>
internal sealed class GlobGroups
{
    // Stand for the begin and end of a group while braces are taken apart; no path has them.
    private const char Begin = '\uFDD0';
    private const char End = '\uFDD1';

    private readonly Regex _regex;

    private GlobGroups(string marked)
    {
        var expression = new StringBuilder(@"\A/");
        string[] segments = marked.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < segments.Length; i++)
        {
            Append(segments[i], isLast: i == segments.Length - 1, expression);
        }
        _regex = new Regex(expression.Append(@"\z").ToString(), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
    }

    /// <summary>The same patterns that <see cref="GlobPattern.Parse"/> gives, in the same order.</summary>
    public static IEnumerable<GlobGroups> Parse(string pattern) => GlobPattern.Braces(Mark(pattern)).Select(static marked => new GlobGroups(marked));

    /// <summary>How many groups a pattern has.</summary>
    public static int CountIn(string pattern) => Mark(pattern).Count(Begin);

    /// <summary>What the groups match in a path that the pattern matches; what <c>**</c> matches has no slash at its ends.</summary>
    public IReadOnlyList<string> Of(string path) => [.. _regex.Match(path).Groups.Values.Skip(1).Select(static group => group.Value.Trim('/'))];

    /// <summary>The pattern with a mark before and behind each group.</summary>
    private static string Mark(string pattern)
    {
        var marked = new StringBuilder();
        bool isOpen = false;
        for (int at = 0; at < pattern.Length;)
        {
            int length = WildcardAt(pattern, at);
            if (length > 0 != isOpen)
            {
                marked.Append(isOpen ? End : Begin);
                isOpen = !isOpen;
            }
            marked.Append(pattern, at, Math.Max(1, length));
            at += Math.Max(1, length);
        }
        return (isOpen ? marked.Append(End) : marked).ToString();
    }

    /// <summary>The length of the wildcard that a pattern has at a place; 0 where there is none.</summary>
    private static int WildcardAt(string pattern, int at) => pattern[at] switch
    {
        '*' or '?' => 1,
        '{' => pattern.IndexOf('}', at) is > 0 and int close ? close + 1 - at : 0,
        '[' => ClassAt(pattern, at),
        _ => 0,
    };

    private static int ClassAt(string text, int at)
    {
        int close = text.IndexOf(']', at);
        int slash = text.IndexOf('/', at);
        return close > at + 1 && (slash < 0 || slash > close) ? close + 1 - at : 0;
    }

    private static void Append(string segment, bool isLast, StringBuilder to)
    {
        if (segment.Trim(Begin, End) == "**")
        {
            string names = isLast ? "(?:[^/]+(?:/[^/]+)*)?" : "(?:[^/]+/)*";
            to.Append(segment.Replace("**", names, StringComparison.Ordinal)).Replace(Begin, '(').Replace(End, ')');
            return;
        }
        for (int at = 0; at < segment.Length;)
        {
            int length = segment[at] == '[' ? ClassAt(segment, at) : 0;
            switch (segment[at])
            {
                case Begin or End:
                    to.Append(segment[at] == Begin ? '(' : ')');
                    break;
                case '*':
                    to.Append("[^/]*");
                    break;
                case '?':
                    to.Append("[^/]");
                    break;
                case '[' when length > 0:
                    AppendClass(segment.AsSpan(at + 1, length - 2), to);
                    break;
                default:
                    to.Append(Literal(segment[at]));
                    break;
            }
            at += Math.Max(1, length);
        }
        to.Append(isLast ? "" : "/");
    }

    private static void AppendClass(ReadOnlySpan<char> set, StringBuilder to)
    {
        bool isNegated = set[0] is '!' or '^';
        set = isNegated ? set[1..] : set;
        to.Append(isNegated ? "[^/" : "[");
        for (int i = 0; i < set.Length; i++)
        {
            to.Append(Literal(set[i]));
            if (i + 2 < set.Length && set[i + 1] == '-')
            {
                // A range that runs backwards has no character; here it may, since the path is known to match.
                to.Append(set[i + 2] >= set[i] ? $"-{Literal(set[i + 2])}" : "");
                i += 2;
            }
        }
        to.Append(']');
    }

    private static string Literal(char c) => char.IsAsciiLetterOrDigit(c) ? c.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
}
