using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Packaging;

/// <summary>What the images' steps make, made without a container engine, and what the images run in it.</summary>
public sealed class ContainerTests : IDisposable
{
    private const string Configuration = "/etc/logpipe/logpipe.yaml";
    private const string Log = "/var/log/nginx/access.log";

    private readonly Workspace _workspace = new();
    private readonly DebianRoot _image;
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";

    public ContainerTests() => _image = new DebianRoot(_workspace);

    public void Dispose() => _workspace.Dispose();

    [RequiresPackageFact("logpipe-agent")]
    public async Task The_agents_image_publishes_a_line_and_stops_at_sigterm()
    {
        Containerfile file = await BuildAsync("agent.Containerfile", isRealDebian: false);
        await PublishAsync(file);
    }

    [RequiresPackageFact("logpipe")]
    public async Task The_servers_image_keeps_a_line_and_stops_at_sigterm()
    {
        Containerfile file = await BuildAsync("server.Containerfile", isRealDebian: false);
        await KeepAsync(file);
    }

    /// <summary>With apt, and a Debian from its archive: needs the network.</summary>
    [RequiresPackageFact("logpipe-agent", "/usr/sbin/debootstrap"), Trait("Category", "Slow")]
    public async Task The_agents_image_is_made_of_a_real_Debian()
    {
        Containerfile file = await BuildAsync("agent.Containerfile", isRealDebian: true);
        await PublishAsync(file);
    }

    [RequiresPackageFact("logpipe", "/usr/sbin/debootstrap"), Trait("Category", "Slow")]
    public async Task The_servers_image_is_made_of_a_real_Debian()
    {
        Containerfile file = await BuildAsync("server.Containerfile", isRealDebian: true);
        await KeepAsync(file);
    }

    private async Task<Containerfile> BuildAsync(string name, bool isRealDebian)
    {
        var file = Containerfile.Read(name);
        await (isRealDebian ? _image.DebootstrapAsync() : _image.MakeImageAsync());
        foreach (string run in file.Runs)
        {
            await _image.BuildStepAsync(run, Containerfile.Context);
        }
        Assert.Equal($"{file.User}:{file.User} 750", await _image.OwnerAndModeAsync(file.Volume));
        Assert.Equal("0:0 644", await _image.OwnerAndModeAsync(Configuration));
        Assert.Empty(Directory.GetFiles(_image.PathOf("/tmp")));
        Assert.False(_image.Has("/var/lib/apt/lists/partial"));
        return file;
    }

    private async Task PublishAsync(Containerfile file)
    {
        await using RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning");
        await broker.ReadyAsync();
        // Else the agent makes it, when it has found the file, and the consumer may ask before.
        Assert.Equal(0, (await _workspace.RunAsync("topics", "create", "web_log", "--bootstrap", _bootstrap)).Status);
        Mount($$"""
            admin: { listen: "127.0.0.1:{{Ports.Free()}}" }
            agent:
              bootstrap: {{_bootstrap}}
              state: /var/lib/logpipe/agent
              inputs: [ { paths: [{{Log}}], topic: web_log } ]
            """);
        Assert.Equal(1, await HealthAsync(file));
        await using RealProcess agent = _image.StartContainer(file, file.WholeCommand);
        Assert.Equal("ready: agent, 0 files", await agent.ReadyAsync());
        Directory.CreateDirectory(Path.GetDirectoryName(_image.PathOf(Log))!);
        await File.WriteAllTextAsync(_image.PathOf(Log), "one\n");
        (int status, string output, string errors) = await _workspace.RunAsync("consume", "web_log", "--from-beginning", "--limit", "1", "--bootstrap", _bootstrap);
        Assert.True((status, output) == (0, "one\n"), errors + agent.Errors);
        Assert.Equal(0, await HealthAsync(file));
        Assert.Equal(0, await agent.TerminateAsync());
        Assert.StartsWith($"{file.User}:{file.User} ", await _image.OwnerAndModeAsync("/var/lib/logpipe/agent/registry"), StringComparison.Ordinal);
    }

    private async Task KeepAsync(Containerfile file)
    {
        Mount($$"""
            admin: { listen: "127.0.0.1:{{Ports.Free()}}" }
            broker: { data: /var/lib/logpipe/broker, listen: "{{_bootstrap}}" }
            sinks:
              - name: web_log
                bootstrap: {{_bootstrap}}
                topics: [web_log]
                parser: none
                sqlite: { file: /var/lib/logpipe/logs.db, table: web_log }
            """);
        Assert.Equal(1, await HealthAsync(file));
        await using RealProcess up = _image.StartContainer(file, file.WholeCommand);
        await up.LineAsync(static line => line.StartsWith("ready: sink", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        (int status, _, string errors) = await _workspace.RunAsync("one\n"u8.ToArray(), "produce", "web_log", "--bootstrap", _bootstrap);
        Assert.True(status == 0, errors + up.Errors);
        await Deadline.UntilAsync(TimeSpan.FromSeconds(60), async () => await QueryAsync(file) == "one\n", () => up.Errors);
        Assert.Equal(0, await HealthAsync(file));
        Assert.Equal(0, await up.TerminateAsync());
    }

    private void Mount(string configuration) => File.WriteAllText(_image.PathOf(Configuration), configuration);

    private async Task<int> HealthAsync(Containerfile file)
    {
        await using RealProcess check = _image.StartContainer(file, file.HealthCheck);
        return await check.ExitAsync(TimeSpan.FromSeconds(60));
    }

    private async Task<string> QueryAsync(Containerfile file)
    {
        await using RealProcess query = _image.StartContainer(file, [.. file.EntryPoint, "query", "--output", "csv", "--columns", "line", "--limit", "1"]);
        Assert.Equal(0, await query.ExitAsync(TimeSpan.FromSeconds(60)));
        return string.Concat(query.Output.Skip(1).Select(static line => line + "\n"));
    }
}
