using System.Text.RegularExpressions;

namespace LogPipeline.House.Tests;

/// <summary>
/// Which namespace of an assembly uses which other one, read from the using directives. An unnecessary directive fails the build, so each
/// one is a real use. A namespace and those below it are one place here: C# lets the inner one see the outer one without a directive.
/// </summary>
internal sealed partial class NamespaceGraph
{
    private readonly SortedDictionary<string, SortedSet<string>> _uses = new(StringComparer.Ordinal);

    /// <summary>Reads all source files outside of the tests.</summary>
    public static NamespaceGraph Read()
    {
        var graph = new NamespaceGraph();
        foreach (string path in Repository.Files(".cs").Where(path => !path.StartsWith("tests/", StringComparison.Ordinal)))
        {
            graph.Add(Repository.Read(path));
        }
        return graph;
    }

    /// <summary>Adds the directives of one file.</summary>
    public void Add(string source)
    {
        if (Declaration().Match(source) is not { Success: true } declared)
        {
            return;
        }
        string name = declared.Groups[1].Value;
        foreach (string used in Directive().Matches(source).Select(match => match.Groups[1].Value))
        {
            if (AssemblyOf(used) == AssemblyOf(name) && !IsWithin(used, name) && !IsWithin(name, used))
            {
                if (!_uses.TryGetValue(name, out SortedSet<string>? uses))
                {
                    _uses[name] = uses = new SortedSet<string>(StringComparer.Ordinal);
                }
                uses.Add(used);
            }
        }
    }

    /// <summary>Returns the circles: groups of namespaces each of which reaches all others.</summary>
    public List<string[]> Circles()
    {
        var circles = new List<string[]>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in _uses.Keys)
        {
            if (seen.Contains(name))
            {
                continue;
            }
            // A namespace that is in a circle reaches itself.
            string[] circle = [.. Reached(name).Where(other => Reached(other).Contains(name))];
            if (circle.Length > 0)
            {
                circles.Add(circle);
                seen.UnionWith(circle);
            }
        }
        return circles;
    }

    private SortedSet<string> Reached(string from)
    {
        var reached = new SortedSet<string>(StringComparer.Ordinal);
        var next = new Queue<string>([from]);
        while (next.TryDequeue(out string? name))
        {
            foreach (string used in Uses(name).Where(reached.Add))
            {
                next.Enqueue(used);
            }
        }
        return reached;
    }

    private SortedSet<string> Uses(string name) => _uses.TryGetValue(name, out SortedSet<string>? uses) ? uses : [];

    private static string AssemblyOf(string name) => name.Split('.')[1];

    private static bool IsWithin(string name, string outer) => name == outer || name.StartsWith(outer + ".", StringComparison.Ordinal);

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^using (?:static )?(LogPipeline\.[\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Directive();
}
