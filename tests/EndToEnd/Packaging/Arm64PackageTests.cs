using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Packaging;

/// <summary>The packages for arm64, whose programs an emulator runs: <c>./test arm64</c>.</summary>
[Trait("Category", "Slow")]
public sealed class Arm64PackageTests : IDisposable
{
    private const string Emulator = "/usr/bin/qemu-aarch64-static";
    private const string Libraries = "/usr/aarch64-linux-gnu";

    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";

    public void Dispose() => _workspace.Dispose();

    [RequiresPackageFact("logpipe-agent", Emulator, "arm64")]
    public async Task The_agent_publishes_a_line_goes_on_after_a_kill_and_stops_at_sigterm()
    {
        await UnpackAsync("logpipe-agent");
        await using RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning");
        await broker.ReadyAsync();
        Assert.Equal(0, (await _workspace.RunAsync("topics", "create", "t", "--partitions", "1", "--bootstrap", _bootstrap)).Status);
        string log = _workspace.File("a.log");
        _workspace.Configure($$"""
            agent:
              bootstrap: {{_bootstrap}}
              inputs: [ { paths: [{{log}}], topic: t } ]
            """);
        await File.WriteAllTextAsync(log, "one\n");
        await using (RealProcess first = Emulate("usr/bin/logpipe-agent"))
        {
            Assert.Equal("one\n", await ConsumeAsync(1, first));
            await first.KillAsync();
        }
        await File.AppendAllTextAsync(log, "two\n");
        await using RealProcess agent = Emulate("usr/bin/logpipe-agent");
        Assert.Equal("one\ntwo\n", await ConsumeAsync(2, agent));
        Assert.Equal(0, await agent.TerminateAsync());
    }

    [RequiresPackageFact("logpipe", Emulator, "arm64")]
    public async Task The_server_package_is_for_arm64()
    {
        await UnpackAsync("logpipe");
        foreach (string file in (string[])["logpipe", "libcoreclr.so", "libe_sqlite3.so"])
        {
            byte[] head = (await File.ReadAllBytesAsync(_workspace.File($"usr/lib/logpipe/{file}")))[..20];
            Assert.Equal((0x7f, (byte)'E', 183), (head[0], head[1], head[18])); // ELF, whose machine 183 is AArch64
        }
    }

    /// <summary>Unpacks the files of the package, which the three forms of it say to be for arm64.</summary>
    private async Task UnpackAsync(string name)
    {
        string package = RequiresPackageFactAttribute.Find(name, "arm64")!;
        Assert.Equal("arm64\n", await RunAsync("dpkg-deb", "--field", package, "Architecture"));
        Assert.True(File.Exists(Path.ChangeExtension(package, ".tar.gz")));
        if (File.Exists("/usr/bin/rpm"))
        {
            Assert.Equal("aarch64\n", await RunAsync("rpm", "--query", "--queryformat", "%{ARCH}", "--package", Path.ChangeExtension(package, ".rpm")));
        }
        await RunAsync("dpkg-deb", "--extract", package, _workspace.Folder);
    }

    private RealProcess Emulate(string program) => RealProcess.Start(Emulator, _workspace.Folder, ["-L", Libraries, _workspace.File(program)]);

    private async Task<string> ConsumeAsync(int lines, RealProcess agent)
    {
        (int status, string output, string errors) = await _workspace.RunAsync("consume", "t", "--from-beginning", "--limit", $"{lines}", "--bootstrap", _bootstrap);
        Assert.True(status == 0, errors + agent.Errors);
        return output;
    }

    private async Task<string> RunAsync(string program, params string[] arguments)
    {
        (int status, string output, string errors) = await RealProcess.RunAsync(program, _workspace.Folder, arguments);
        Assert.True(status == 0, $"{program} {string.Join(' ', arguments)} gave {status}: {output}{errors}");
        return output;
    }
}
