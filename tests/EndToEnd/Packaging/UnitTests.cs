using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Packaging;

/// <summary>The systemd units: sound, and with the rights that the documented inputs need and few others.</summary>
public sealed class UnitTests : IDisposable
{
    private const string Units = "usr/lib/systemd/system";

    /// <summary>Ten times what <c>systemd-analyze security</c> may say, of 100.</summary>
    private const int ExposureMax = 22;

    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [RequiresSystemdFact]
    public async Task Systemd_finds_nothing_wrong_with_them_and_little_that_they_may_do()
    {
        string units = _workspace.File(Units);
        Directory.CreateDirectory(units);
        Directory.CreateDirectory(_workspace.File("usr/bin"));
        Directory.CreateSymbolicLink(_workspace.File("bin"), "usr/bin");
        foreach (string target in (string[])["basic", "multi-user", "network", "network-online", "shutdown", "sysinit"])
        {
            File.Copy($"/{Units}/{target}.target", Path.Combine(units, target + ".target"));
        }
        foreach (string program in (string[])["kill", "logpipe", "logpipe-agent"])
        {
            File.Copy("/bin/true", _workspace.File($"usr/bin/{program}"));
        }
        foreach (string unit in (string[])["agent/logpipe-agent.service", "server/logpipe.service"])
        {
            string copy = Path.Combine(units, Path.GetFileName(unit));
            File.Copy(Path.Combine(Programs.Root, "deploy", "packaging", unit), copy);
            Assert.Equal("", await AnalyzeAsync("verify", $"--root={_workspace.Folder}", Path.GetFileName(unit)));
            await AnalyzeAsync("security", "--offline=true", "--no-pager", $"--threshold={ExposureMax}", copy);
        }
    }

    [RequiresPackageFact("logpipe-agent")]
    public async Task The_agent_may_listen_on_syslogs_port_by_what_its_unit_gives_it()
    {
        var debian = new DebianRoot(_workspace);
        await debian.MakeAsync();
        await debian.DpkgAsync("--install", RequiresPackageFactAttribute.Find("logpipe-agent")!);
        string[] unit = debian.Read($"/{Units}/logpipe-agent.service").Split('\n');
        string capability = unit.Single(static line => line.StartsWith("AmbientCapabilities=", StringComparison.Ordinal)).Split("=CAP_")[1].ToLowerInvariant();
        string[] groups = unit.Single(static line => line.StartsWith("SupplementaryGroups=", StringComparison.Ordinal)).Split('=')[1].Split(' ');
        Assert.All(groups, group => Assert.Contains($"\n{group}:", "\n" + debian.Read("/etc/group"), StringComparison.Ordinal));
        await File.WriteAllTextAsync(debian.PathOf("/etc/logpipe/logpipe.yaml"), """
            agent:
              bootstrap: 127.0.0.1:9092
              state: /var/lib/logpipe/agent
              inputs: [ { syslog: { listen: "tcp://0.0.0.0:514" }, topic: syslog } ]
            """);
        // With a network of its own, so that it does not matter who has the port here.
        await using RealProcess agent = RealProcess.Start("unshare", _workspace.Folder,
        [
            "--net", "--mount-proc", $"--root={debian.PathOf("")}", "setpriv", "--reuid=logpipe", "--regid=logpipe", $"--groups={string.Join(',', groups)}",
            $"--inh-caps=-all,+{capability}", $"--ambient-caps=-all,+{capability}", $"--bounding-set=-all,+{capability}", "--no-new-privs", "/usr/bin/logpipe-agent",
        ]);
        await agent.ReadyAsync();
        const string Listening = " 00000000:0202 00000000:0000 0A "; // 0.0.0.0:514
        await Deadline.UntilAsync(TimeSpan.FromSeconds(60), async () => (await File.ReadAllTextAsync($"/proc/{agent.Id}/net/tcp")).Contains(Listening, StringComparison.Ordinal), () => agent.Errors);
        Assert.Equal(0, await agent.TerminateAsync());
    }

    private async Task<string> AnalyzeAsync(params string[] arguments)
    {
        (int status, string output, string errors) = await RealProcess.RunAsync(RequiresSystemdFactAttribute.Analyze, _workspace.Folder, arguments);
        Assert.True(status == 0, output + errors);
        return output + errors;
    }
}

/// <summary>Skips, and says so, where systemd is not there to judge a unit.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RequiresSystemdFactAttribute : FactAttribute
{
    public const string Analyze = "/usr/bin/systemd-analyze";

    public RequiresSystemdFactAttribute() => Skip = File.Exists(Analyze) ? null : $"there is no {Analyze}";
}
