using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Packaging;

/// <summary>The archive for servers without dpkg: its script does what the package does.</summary>
public sealed class AgentArchiveTests : IDisposable
{
    private const string Configuration = "/etc/logpipe/logpipe.yaml";

    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [RequiresPackageFact("logpipe-agent")]
    public async Task Install_upgrade_remove_and_purge_do_what_those_of_the_package_do()
    {
        string package = RequiresPackageFactAttribute.Find("logpipe-agent")!;
        string script = $"/tmp/{Path.GetFileNameWithoutExtension(package)}/install";
        var debian = new DebianRoot(_workspace);
        await debian.MakeAsync();
        await debian.UnpackAsync(Path.ChangeExtension(package, ".tar.gz"));

        await debian.RootRunsAsync(script);
        Assert.Equal(["daemon-reload"], debian.TakeSystemdCalls());
        Assert.Equal("0:0 755", await debian.OwnerAndModeAsync("/usr/bin/logpipe-agent"));
        await File.AppendAllTextAsync(debian.PathOf(Configuration), "# ours\n");

        await debian.RootRunsAsync(script);
        Assert.Equal(["daemon-reload", "try-restart logpipe-agent.service"], debian.TakeSystemdCalls());
        Assert.EndsWith("# ours\n", debian.Read(Configuration), StringComparison.Ordinal);
        await using (RealProcess check = debian.StartAgent("config", "check"))
        {
            Assert.Equal(0, await check.ExitAsync(TimeSpan.FromSeconds(60)));
        }

        await debian.RootRunsAsync(script, "remove");
        Assert.Equal(["disable --now logpipe-agent.service", "daemon-reload"], debian.TakeSystemdCalls());
        Assert.False(debian.Has("/usr/bin/logpipe-agent"));
        Assert.True(debian.Has(Configuration) && debian.Has("/var/lib/logpipe"));

        await debian.RootRunsAsync(script, "purge");
        Assert.False(debian.Has("/etc/logpipe") || debian.Has("/var/lib/logpipe") || debian.Has("/usr/lib/systemd/system/logpipe-agent.service"));
        Assert.DoesNotContain("logpipe", debian.Read("/etc/passwd"), StringComparison.Ordinal);
    }
}
