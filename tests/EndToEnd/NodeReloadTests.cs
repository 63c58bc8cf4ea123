using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>The agent that <c>logpipe</c> runs, alone or beside others, takes a changed configuration as <c>logpipe-agent</c> does.</summary>
public sealed class NodeReloadTests : IDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Beside_a_broker_the_agents_part_is_applied_and_the_rest_is_said_to_stay()
    {
        await using RealProcess up = await StartAsync("up");
        Configure("b.log");
        up.HangUp();
        await up.LineAsync(static line => line == "ready: agent, 0 files", Within);
        Write("b.log", "b 1");
        Assert.Equal("a 1\nb 1\n", await ConsumeAsync(2));
        await up.SaidAsync("SIGHUP: the configuration is read anew and applied");
        await up.SaidAsync("broker, sinks, admin and telemetry keep theirs until a restart");

        _workspace.Configure($$"""broker: { listen: "{{_bootstrap}}" }""");
        await up.SaidAsync("has changed: the configuration is refused, the old one goes on: the configuration has no 'agent:' any more");
        Write("b.log", "b 2");
        Assert.Equal("a 1\nb 1\nb 2\n", await ConsumeAsync(3));
        Assert.Equal(0, await up.TerminateAsync());
    }

    [Fact]
    public async Task Alone_it_takes_a_changed_file_by_itself()
    {
        await using RealProcess broker = _workspace.Start("broker", "--data", "other", "--listen", _bootstrap, "--log-level", "warning");
        await broker.ReadyAsync();
        await using RealProcess agent = await StartAsync("agent");
        Configure("b.log");
        Write("b.log", "b 1");
        Assert.Equal("a 1\nb 1\n", await ConsumeAsync(2));
        await agent.SaidAsync("has changed: the configuration is read anew and applied");
        Assert.DoesNotContain("keep theirs", agent.Errors, StringComparison.Ordinal);
        Assert.Equal(0, await agent.TerminateAsync());
    }

    private async Task<RealProcess> StartAsync(string verb)
    {
        Write("a.log", "a 1");
        Configure("a.log");
        RealProcess process = _workspace.Start(verb, "--config", "logpipe.yaml");
        await process.LineAsync(static line => line.StartsWith("ready: agent", StringComparison.Ordinal), Within);
        Assert.Equal("a 1\n", await ConsumeAsync(1));
        return process;
    }

    private async Task<string> ConsumeAsync(int lines)
        => (await _workspace.RunAsync("consume", "t", "--from-beginning", "--limit", $"{lines}", "--bootstrap", _bootstrap)).Output;

    private void Write(string name, string line) => File.AppendAllText(_workspace.File(name), line + "\n");

    private void Configure(string name) => _workspace.Configure($$"""
        broker: { data: data, listen: "{{_bootstrap}}", settings: { num.partitions: 1 } }
        agent: { bootstrap: "{{_bootstrap}}", inputs: [ { paths: [{{_workspace.File(name)}}], topic: t } ] }
        """);
}
