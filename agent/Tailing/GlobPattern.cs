using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// An absolute path with wildcards: <c>*</c> and <c>?</c> within a name, <c>[a-z]</c> and <c>[!x]</c> one character, <c>**</c> any
/// directories, <c>{a,b}</c> either. A name that begins with a dot is matched only by a pattern that begins with one.
/// </summary>
internal sealed class GlobPattern
{
    private const int DepthMax = 32;

    private readonly string[] _segments;

    private GlobPattern(string pattern)
    {
        _segments = pattern.Split('/', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>The patterns that one with braces stands for.</summary>
    public static IEnumerable<GlobPattern> Parse(string pattern) => Braces(pattern).Select(p => new GlobPattern(p));

    /// <summary>Whether a whole path matches.</summary>
    public bool IsMatch(string path) => Match(path.Split('/', StringSplitOptions.RemoveEmptyEntries), 0, 0);

    /// <summary>Adds the files that match, and the directories they were looked for in.</summary>
    public void Collect(Func<string, IReadOnlyList<DirectoryEntry>> list, ISet<string> paths, ISet<string> directories) => Walk(list, "/", 0, 0, paths, directories);

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

    private void Walk(Func<string, IReadOnlyList<DirectoryEntry>> list, string directory, int segment, int depth, ISet<string> paths, ISet<string> directories)
    {
        string pattern = _segments[segment];
        bool last = segment == _segments.Length - 1;
        if (pattern == "**")
        {
            Walk(list, directory, last ? segment : segment + 1, depth, paths, directories, anyName: last);
            foreach (DirectoryEntry entry in depth < DepthMax ? list(directory) : [])
            {
                if (entry.IsDirectory && entry.Name[0] != '.')
                {
                    Walk(list, Path.Combine(directory, entry.Name), segment, depth + 1, paths, directories);
                }
            }
            return;
        }
        Walk(list, directory, segment, depth, paths, directories, anyName: false);
    }

    private void Walk(
        Func<string, IReadOnlyList<DirectoryEntry>> list, string directory, int segment, int depth, ISet<string> paths, ISet<string> directories, bool anyName)
    {
        string pattern = anyName ? "*" : _segments[segment];
        bool last = segment == _segments.Length - 1;
        if (!last && !IsWild(pattern))
        {
            Walk(list, Path.Combine(directory, pattern), segment + 1, depth, paths, directories);
            return;
        }
        if (last)
        {
            directories.Add(directory);
        }
        foreach (DirectoryEntry entry in list(directory))
        {
            if (!Matches(pattern, entry.Name))
            {
                continue;
            }
            if (last && !entry.IsDirectory)
            {
                paths.Add(Path.Combine(directory, entry.Name));
            }
            else if (!last && entry.IsDirectory)
            {
                Walk(list, Path.Combine(directory, entry.Name), segment + 1, depth + 1, paths, directories);
            }
        }
    }

    private static bool IsWild(string segment) => segment.AsSpan().IndexOfAny('*', '?', '[') >= 0;

    private static bool Matches(string segment, string name) => (name[0] != '.' || segment[0] == '.') && NameMatches(segment, name);

    private static IEnumerable<string> Braces(string pattern)
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
