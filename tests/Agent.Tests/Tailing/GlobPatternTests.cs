using Microsoft.Extensions.Logging.Abstractions;
using LogPipeline.Agent.Tailing;
using LogPipeline.Files;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.Tailing;

public sealed class GlobPatternTests
{
    [Theory]
    [InlineData("/var/log/*.log", "/var/log/a.log", true)]
    [InlineData("/var/log/*.log", "/var/log/x/a.log", false)]
    [InlineData("/var/log/**/*.log", "/var/log/a.log", true)]
    [InlineData("/var/log/**/*.log", "/var/log/x/y/a.log", true)]
    [InlineData("/var/**/nginx/*access*", "/var/log/nginx/site-access.log.1", true)]
    [InlineData("/a/[a-c]?.log", "/a/b1.log", true)]
    [InlineData("/a/[!a-c]?.log", "/a/b1.log", false)]
    [InlineData("/a/{x,y}.log", "/a/y.log", true)]
    [InlineData("/a/*", "/a/.hidden", false)]
    [InlineData("/a/.*", "/a/.hidden", true)]
    public void Paths_match_as_people_expect(string pattern, string path, bool matches) =>
        Assert.Equal(matches, GlobPattern.Parse(pattern).Any(p => p.IsMatch(path)));

    [Fact]
    public void A_walk_finds_what_matches_and_where_it_looked()
    {
        var files = new MemoryFileSystem(new MemoryDisk(TimeProvider.System));
        foreach (string path in new[] { "/l/a.log", "/l/a.gz", "/l/x/b.log", "/l/x/y/c.log", "/m/d.log" })
        {
            files.CreateDirectory(Path.GetDirectoryName(path)!);
            files.Open(path, FileOpenMode.CreateNew).Dispose();
        }
        var rules = new PathRules(new AgentOptions { Inputs = [new InputOptions { Paths = ["/l/**/*"], Exclude = ["*.gz"], Topic = "t" }] });
        var directories = new SortedSet<string>(StringComparer.Ordinal);
        using var metrics = new AgentMetrics(() => [], () => 0, () => 0, () => 0, () => 0);
        var probe = new FileProbe(files, metrics, NullLogger.Instance);
        Assert.Equal(["/l/a.log", "/l/x/b.log", "/l/x/y/c.log"], rules.Find(probe, directories).Select(f => f.Path));
        Assert.Equal(["/l", "/l/x", "/l/x/y"], directories);
    }
}
