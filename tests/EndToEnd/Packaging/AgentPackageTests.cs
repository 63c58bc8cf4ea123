using System.Buffers.Binary;
using System.Numerics;
using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Packaging;

/// <summary>The life of the agent's package on a server: installed, run, upgraded, removed, purged.</summary>
public sealed class AgentPackageTests : IDisposable
{
    private const string Configuration = "/etc/logpipe/logpipe.yaml";
    private const string Registry = "/var/lib/logpipe/agent/registry";
    private const string Log = "/var/log/nginx/access.log";
    private const string GroupAdm = "4";

    private readonly Workspace _workspace = new();
    private readonly DebianRoot _debian;
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";

    public AgentPackageTests() => _debian = new DebianRoot(_workspace);

    private static string Package => RequiresPackageFactAttribute.Find("logpipe-agent")!;

    public void Dispose() => _workspace.Dispose();

    [RequiresPackageFact("logpipe-agent")]
    public async Task Positions_and_configuration_outlive_an_upgrade_and_a_removal_and_the_state_of_a_newer_agent_is_refused()
    {
        await _debian.MakeAsync();
        await using RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning");
        await broker.ReadyAsync();

        await _debian.DpkgAsync("--install", Package);
        Assert.Equal(["daemon-reload"], _debian.TakeSystemdCalls());
        Configure();
        await WriteAsync("one", "two");
        await CollectAsync("one", "two");

        await _debian.DpkgAsync("--install", await _debian.WithVersionAsync(Package, "99.0.0"));
        Assert.Equal(["daemon-reload", "try-restart logpipe-agent.service"], _debian.TakeSystemdCalls());
        await WriteAsync("three");
        await CollectAsync("one", "two", "three");

        await _debian.DpkgAsync("--remove", "logpipe-agent");
        Assert.Equal(["disable --now logpipe-agent.service", "daemon-reload"], _debian.TakeSystemdCalls());
        Assert.False(_debian.Has("/usr/bin/logpipe-agent"));
        await _debian.DpkgAsync("--install", Package);
        await WriteAsync("four");
        await CollectAsync("one", "two", "three", "four");

        byte[] registry = RaiseStateVersion();
        await _debian.DpkgAsync("--install", Package);
        await using RealProcess refused = _debian.StartAgent();
        Assert.Equal(2, await refused.ExitAsync(TimeSpan.FromSeconds(60)));
        Assert.Contains("logpipe-agent: The agent's registry is of version 255; this agent knows version", refused.Errors, StringComparison.Ordinal);
        Assert.Equal(registry, await File.ReadAllBytesAsync(_debian.PathOf(Registry)));
    }

    [RequiresPackageFact("logpipe-agent")]
    public async Task Files_have_the_owners_and_modes_that_they_need_and_a_purge_leaves_the_logs_alone()
    {
        await _debian.MakeAsync();
        await _debian.DpkgAsync("--install", Package);
        await WriteAsync("one");
        string user = UserLine("/etc/passwd");
        string[] ids = user.Split(':');
        Assert.EndsWith(":/var/lib/logpipe:/usr/sbin/nologin", user, StringComparison.Ordinal);
        Assert.Contains("adm:x:4:logpipe\n", _debian.Read("/etc/group"), StringComparison.Ordinal);
        Assert.Equal("0:0 755", await _debian.OwnerAndModeAsync("/usr/bin/logpipe-agent"));
        Assert.Equal("0:0 644", await _debian.OwnerAndModeAsync(Configuration));
        Assert.Equal("0:0 644", await _debian.OwnerAndModeAsync("/usr/lib/systemd/system/logpipe-agent.service"));
        Assert.Equal($"{ids[2]}:{ids[3]} 750", await _debian.OwnerAndModeAsync("/var/lib/logpipe"));
        await using (RealProcess check = _debian.StartAgent("config", "check"))
        {
            Assert.Equal(0, await check.ExitAsync(TimeSpan.FromSeconds(60)));
            Assert.Equal(["/var/log/nginx/*access.log* -> web_log at 127.0.0.1:9092"], check.Output);
        }

        await _debian.DpkgAsync("--purge", "logpipe-agent");
        Assert.Equal("", UserLine("/etc/passwd"));
        Assert.False(_debian.Has("/etc/logpipe"));
        Assert.False(_debian.Has("/var/lib/logpipe"));
        Assert.False(_debian.Has("/usr/lib/systemd/system/logpipe-agent.service"));
        Assert.Equal("one\n", _debian.Read(Log));
    }

    private void Configure()
    {
        string shipped = _debian.Read(Configuration);
        string ours = shipped.Replace("127.0.0.1:9092", _bootstrap, StringComparison.Ordinal)
            .Replace("127.0.0.1:9600", $"127.0.0.1:{Ports.Free()}", StringComparison.Ordinal);
        Assert.NotEqual(shipped, ours);
        File.WriteAllText(_debian.PathOf(Configuration), ours);
    }

    // What a newer agent may leave behind: its first frame (length, CRC-32C, kind, version …) says a version that nobody knows yet.
    private byte[] RaiseStateVersion()
    {
        string path = _debian.PathOf(Registry);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[9] = byte.MaxValue;
        uint crc = uint.MaxValue;
        foreach (byte b in bytes.AsSpan(8, (int)BinaryPrimitives.ReadUInt32BigEndian(bytes)))
        {
            crc = BitOperations.Crc32C(crc, b);
        }
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), ~crc);
        File.WriteAllBytes(path, bytes);
        return bytes;
    }

    private string UserLine(string file)
        => _debian.Read(file).Split('\n').SingleOrDefault(line => line.StartsWith("logpipe:", StringComparison.Ordinal)) ?? "";

    // As nginx's logs are on Debian: for root and the group adm.
    private async Task WriteAsync(params string[] lines)
    {
        string log = _debian.PathOf(Log);
        await File.AppendAllLinesAsync(log, lines);
        await RealProcess.RunAsync("chmod", _workspace.Folder, ["640", log]);
        await RealProcess.RunAsync("chgrp", _workspace.Folder, [GroupAdm, log]);
    }

    // Runs the installed agent until the topic holds these lines, in this order, and stops it.
    private async Task CollectAsync(params string[] lines)
    {
        await using RealProcess agent = _debian.StartAgent();
        Assert.Equal("ready: agent, 1 file", await agent.ReadyAsync());
        (int status, string output, string errors) = await _workspace.RunAsync(
            "consume", "web_log", "--from-beginning", "--limit", $"{lines.Length}", "--bootstrap", _bootstrap);
        Assert.True(status == 0, errors + agent.Errors);
        Assert.Equal(lines, output.TrimEnd('\n').Split('\n'));
        Assert.Equal(0, await agent.TerminateAsync());
    }
}
