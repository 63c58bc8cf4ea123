using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Packaging;

/// <summary>The packages for rpm do what those for dpkg do, by the same scripts.</summary>
public sealed class RpmTests : IDisposable
{
    private const string Configuration = "/etc/logpipe/logpipe.yaml";

    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [RequiresPackageFact("logpipe-agent")]
    public Task The_agent() => InstallUpgradeAndRemoveAsync("logpipe-agent", "/usr/bin/logpipe-agent");

    [RequiresPackageFact("logpipe")]
    public Task Broker_and_sinks() => InstallUpgradeAndRemoveAsync("logpipe", "/usr/lib/logpipe/logpipe");

    private async Task InstallUpgradeAndRemoveAsync(string name, string program)
    {
        string package = Path.ChangeExtension(RequiresPackageFactAttribute.Find(name)!, ".rpm");
        var root = new DebianRoot(_workspace);
        await root.MakeAsync();

        await root.RpmAsync("--install", "--ignoreos", package);
        Assert.Equal(["daemon-reload"], root.TakeSystemdCalls());
        Assert.Equal("0:0 755", await root.OwnerAndModeAsync(program));
        Assert.Contains("logpipe:", root.Read("/etc/passwd"), StringComparison.Ordinal);
        await File.AppendAllTextAsync(root.PathOf(Configuration), "# ours\n");
        Assert.NotEmpty(await root.RunAsUserAsync($"/usr/bin/{name}", "config", "check"));

        await root.RpmAsync("--upgrade", "--force", "--ignoreos", package);
        Assert.Equal(["daemon-reload", $"try-restart {name}.service"], root.TakeSystemdCalls());
        Assert.EndsWith("# ours\n", root.Read(Configuration), StringComparison.Ordinal);

        await root.RpmAsync("--erase", name);
        Assert.Equal([$"disable --now {name}.service", "daemon-reload"], root.TakeSystemdCalls());
        Assert.False(root.Has(program) || root.Has("/usr/lib/logpipe"));
        Assert.True(root.Has("/var/lib/logpipe"));
        Assert.EndsWith("# ours\n", root.Read(Configuration + ".rpmsave"), StringComparison.Ordinal);
    }
}
