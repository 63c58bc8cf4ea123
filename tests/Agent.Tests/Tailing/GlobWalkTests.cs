using LogPipeline.Agent.Tailing;
using LogPipeline.Files;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Patterns over a real directory tree, with links.</summary>
public sealed class GlobWalkTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("logpipe-glob-").FullName;
    private readonly AgentMetrics _metrics = new(() => [], () => 0, () => 0, () => 0, () => 0);

    public void Dispose()
    {
        Directory.Delete(_root, recursive: true);
        _metrics.Dispose();
    }

    [Fact]
    public void Links_to_ancestors_neither_repeat_files_nor_lead_on_without_end()
    {
        Make("a/b/app.log");
        Make("a/c/app.log");
        Directory.CreateSymbolicLink(Path.Combine(_root, "a/0-first"), _root);
        Directory.CreateSymbolicLink(Path.Combine(_root, "a/b/up"), Path.Combine(_root, "a"));
        Directory.CreateSymbolicLink(Path.Combine(_root, "a/c/over"), Path.Combine(_root, "a/b"));
        Assert.Equal(["a/b/app.log", "a/c/app.log"], Find("**/*.log"));
    }

    [Fact]
    public void What_only_a_link_leads_to_is_found_below_it()
    {
        Make("real/x/app.log");
        Make("logs/own.log");
        Directory.CreateSymbolicLink(Path.Combine(_root, "logs/linked"), Path.Combine(_root, "real"));
        Assert.Equal(["logs/linked/x/app.log", "logs/own.log"], Find("logs/**/*.log"));
        Assert.Equal(["logs/linked/x/app.log"], Find("logs/linked/x/app.log"));
    }

    private void Make(string path)
    {
        path = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "line\n");
    }

    private List<string> Find(string pattern)
    {
        var rules = new PathRules(new AgentOptions { Inputs = [new InputOptions { Paths = [Path.Combine(_root, pattern)], Topic = "t" }] });
        var probe = new FileProbe(new OsFileSystem(), _metrics, NullLogger.Instance);
        return [.. rules.Find(probe, new SortedSet<string>()).Select(found => Path.GetRelativePath(_root, found.Path))];
    }
}
