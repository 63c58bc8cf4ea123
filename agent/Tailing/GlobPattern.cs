namespace LogPipeline.Agent.Tailing;

/// <summary>
/// An absolute path with wildcards: <c>*</c> and <c>?</c> within a name, <c>[a-z]</c> and <c>[!x]</c> one character, <c>**</c> any
/// directories, <c>{a,b}</c> either. A name that begins with a dot is matched only by a pattern that begins with one.
/// </summary>
internal sealed class GlobPattern
{
    private readonly string[] _segments;

    private GlobPattern(string pattern)
    {
        _segments = pattern.Split('/', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>The patterns that one with braces stands for.</summary>
    public static IEnumerable<GlobPattern> Parse(string pattern) => Braces(pattern).Select(p => new GlobPattern(p));

    /// <summary>Whether a whole path matches.</summary>
    public bool IsMatch(string path) => Match(path.Split('/', StringSplitOptions.RemoveEmptyEntries), 0, 0);

    /// <summary>The names that make it up, from the root on.</summary>
    public string[] Segments => _segments;

    /// <summary>Whether a segment has wildcards.</summary>
    public static bool IsWild(string segment) => segment.AsSpan().IndexOfAny('*', '?', '[') >= 0;

    /// <summary>Whether a name matches a segment; a hidden one only where the segment begins with a dot too.</summary>
    public static bool Matches(string segment, string name) => (name[0] != '.' || segment[0] == '.') && NameMatches(segment, name);

    /// <summary>Whether a name matches one segment.</summary>
    public static bool NameMatches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        while (!pattern.IsEmpty)
        {
            switch (pattern[0])
            {
                case '*':
                    pattern = pattern.TrimStart('*');
                    for (int skip = 0; skip <= name.Length; skip++)
                    {
                        if (NameMatches(pattern, name[skip..]))
                        {
                            return true;
                        }
                    }
                    return false;
                case '[' when pattern.IndexOf(']') is > 1 and int end && !name.IsEmpty:
                    if (!ClassMatches(pattern[1..end], name[0]))
                    {
                        return false;
                    }
                    pattern = pattern[(end + 1)..];
                    break;
                default:
                    if (name.IsEmpty || (pattern[0] != '?' && pattern[0] != name[0]))
                    {
                        return false;
                    }
                    pattern = pattern[1..];
                    break;
            }
            name = name[1..];
        }
        return name.IsEmpty;
    }

    private static bool ClassMatches(ReadOnlySpan<char> set, char c)
    {
        bool negated = set[0] is '!' or '^';
        set = negated ? set[1..] : set;
        bool found = false;
        for (int i = 0; i < set.Length; i++)
        {
            if (i + 2 < set.Length && set[i + 1] == '-')
            {
                found |= c >= set[i] && c <= set[i + 2];
                i += 2;
            }
            else
            {
                found |= set[i] == c;
            }
        }
        return found != negated;
    }

    private bool Match(string[] names, int name, int segment)
    {
        if (segment == _segments.Length)
        {
            return name == names.Length;
        }
        if (_segments[segment] == "**")
        {
            return Match(names, name, segment + 1) || (name < names.Length && Match(names, name + 1, segment));
        }
        return name < names.Length && Matches(_segments[segment], names[name]) && Match(names, name + 1, segment + 1);
    }

    /// <summary>A pattern with braces, once for each choice.</summary>
    public static IEnumerable<string> Braces(string pattern)
    {
        int open = pattern.IndexOf('{', StringComparison.Ordinal);
        int close = open < 0 ? -1 : pattern.IndexOf('}', open);
        if (close < 0)
        {
            return [pattern];
        }
        return pattern[(open + 1)..close].Split(',').SelectMany(choice => Braces(pattern[..open] + choice + pattern[(close + 1)..]));
    }
}
