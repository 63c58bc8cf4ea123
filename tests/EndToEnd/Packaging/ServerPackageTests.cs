using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Packaging;

/// <summary>The life of the package of broker and sinks on a server that has no .NET.</summary>
public sealed class ServerPackageTests : IDisposable
{
    private const string Configuration = "/etc/logpipe/logpipe.yaml";
    private const string Log = "/var/log/nginx/access.log";

    private readonly Workspace _workspace = new();
    private readonly DebianRoot _debian;

    public ServerPackageTests() => _debian = new DebianRoot(_workspace);

    private static string Package => RequiresPackageFactAttribute.Find("logpipe")!;

    public void Dispose() => _workspace.Dispose();

    [RequiresPackageFact("logpipe")]
    public async Task Rows_outlive_an_upgrade_and_a_removal_and_a_purge_leaves_the_logs_alone()
    {
        await _debian.MakeAsync();
        await _debian.DpkgAsync("--install", Package);
        Assert.Equal(["daemon-reload"], _debian.TakeSystemdCalls());
        Assert.Equal("0:0 755", await _debian.OwnerAndModeAsync("/usr/lib/logpipe/logpipe"));
        Assert.Equal("0:0 644", await _debian.OwnerAndModeAsync("/usr/lib/systemd/system/logpipe.service"));
        Configure();
        await WriteAsync("/one", "/two");
        await CollectAsync(2);

        await _debian.DpkgAsync("--install", await _debian.WithVersionAsync(Package, "99.0.0"));
        Assert.Equal(["daemon-reload", "try-restart logpipe.service"], _debian.TakeSystemdCalls());
        await WriteAsync("/three");
        await CollectAsync(3);

        await _debian.DpkgAsync("--remove", "logpipe");
        Assert.Equal(["disable --now logpipe.service", "daemon-reload"], _debian.TakeSystemdCalls());
        Assert.False(_debian.Has("/usr/bin/logpipe") || _debian.Has("/usr/lib/logpipe"));
        await _debian.DpkgAsync("--install", Package);
        await WriteAsync("/four");
        await CollectAsync(4);

        await _debian.DpkgAsync("--purge", "logpipe");
        Assert.False(_debian.Has("/etc/logpipe") || _debian.Has("/var/lib/logpipe"));
        Assert.DoesNotContain("logpipe", _debian.Read("/etc/passwd"), StringComparison.Ordinal);
        Assert.Contains("/four", _debian.Read(Log), StringComparison.Ordinal);
    }

    [RequiresPackageFact("logpipe-agent")]
    public async Task The_agent_alone_does_not_go_beside_it()
    {
        await _debian.MakeAsync();
        await _debian.DpkgAsync("--install", RequiresPackageFactAttribute.Find("logpipe-agent")!);
        string refusal = await _debian.DpkgRefusesAsync("--install", Package);
        Assert.Contains("conflict", refusal, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The shipped file, with this server's own files wanted and on ports of its own.</summary>
    private void Configure()
    {
        string shipped = _debian.Read(Configuration);
        string ours = shipped.Replace("127.0.0.1:9092", $"127.0.0.1:{Ports.Free()}", StringComparison.Ordinal)
            .Replace("127.0.0.1:9600", $"127.0.0.1:{Ports.Free()}", StringComparison.Ordinal);
        string[] lines = ours.Split('\n');
        int own = Array.FindIndex(lines, static line => line.StartsWith("# agent:", StringComparison.Ordinal));
        for (int i = own; lines[i].StartsWith('#'); i++)
        {
            lines[i] = lines[i][2..];
        }
        File.WriteAllText(_debian.PathOf(Configuration), string.Join('\n', lines));
    }

    private Task WriteAsync(params string[] paths) => File.AppendAllLinesAsync(
        _debian.PathOf(Log),
        paths.Select(static path => $"203.0.113.9 - - [27/Nov/2026:10:00:00 +0000] \"GET {path} HTTP/1.1\" 200 5 \"-\" \"curl\""));

    /// <summary>Runs what the unit runs until each line is a row, and proves it.</summary>
    private async Task CollectAsync(int rows)
    {
        await using RealProcess up = _debian.Start("/usr/bin/logpipe", "up", "--config", Configuration);
        await up.LineAsync(static line => line.StartsWith("ready: sink", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        await Deadline.UntilAsync(TimeSpan.FromSeconds(60), async () => (await QueryAsync()).Length == rows, () => up.Errors);
        Assert.Contains("each line once", await _debian.RunAsUserAsync("/usr/bin/logpipe", "verify"), StringComparison.Ordinal);
        Assert.Equal(0, await up.TerminateAsync());
    }

    private async Task<string[]> QueryAsync() =>
        (await _debian.RunAsUserAsync("/usr/bin/logpipe", "query", "--output", "jsonl", "--limit", "100")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
