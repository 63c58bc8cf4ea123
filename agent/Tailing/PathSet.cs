using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>The files that the inputs name now: each path once a topic, with the first input that matches it.</summary>
internal sealed class PathSet
{
    private readonly List<(InputOptions Input, List<GlobPattern> Paths, List<GlobPattern> Exclude)> _inputs;

    public PathSet(IEnumerable<InputOptions> inputs) => _inputs =
    [
        .. inputs.Select(i => (
            i,
            i.Paths.SelectMany(GlobPattern.Parse).ToList(),
            i.Exclude.SelectMany(e => GlobPattern.Parse(e.Contains('/', StringComparison.Ordinal) ? e : $"/**/{e}")).ToList())),
    ];

    /// <summary>Looks at the directories; gives the matches in the order of inputs, then paths.</summary>
    public List<(string Path, InputOptions Input)> Look(Func<string, IReadOnlyList<DirectoryEntry>> list, SortedSet<string> directories)
    {
        List<(string Path, InputOptions Input)> found = [];
        HashSet<(string Path, string Topic)> taken = [];
        foreach ((InputOptions input, List<GlobPattern> paths, List<GlobPattern> exclude) in _inputs)
        {
            var matches = new SortedSet<string>(StringComparer.Ordinal);
            foreach (GlobPattern pattern in paths)
            {
                pattern.Collect(list, matches, directories);
            }
            foreach (string path in matches)
            {
                if (!exclude.Exists(e => e.IsMatch(path)) && taken.Add((path, input.Topic)))
                {
                    found.Add((path, input));
                }
            }
        }
        return found;
    }

    /// <summary>Whether an input wants a file at the path.</summary>
    public bool Concerns(string path) =>
        _inputs.Exists(i => i.Paths.Exists(p => p.IsMatch(path)) && !i.Exclude.Exists(e => e.IsMatch(path)));

    /// <summary>What the registry remembers an input by.</summary>
    public static string KeyOf(InputOptions input) => $"{input.Topic} {string.Join(' ', input.Paths)}";
}
