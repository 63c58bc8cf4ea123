using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>Lines that the agent read and that are in no record: verify says why, by what the agent publishes.</summary>
public sealed class LeftOutTests : IDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Lines_that_a_broker_refuses_or_a_rate_limit_drops_are_told()
    {
        _workspace.Configure($$"""
            agent:
              bootstrap: {{_bootstrap}}
              state: {{_workspace.File("state")}}
              host: web1
              inputs:
                - { paths: ["{{_workspace.File("hole.log")}}", "{{_workspace.File("end.log")}}"], topic: web_log }
                - { paths: ["{{_workspace.File("fast.log")}}"], topic: web_log, rate_limit: { lines_per_second: 1, burst: 2, policy: drop } }
            sinks:
              - { name: web, bootstrap: {{_bootstrap}}, topics: [web_log], sqlite: { file: rows.db, table: web } }
            """);
        await using RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning");
        await broker.ReadyAsync();
        Assert.Equal(0, (await _workspace.RunAsync("topics", "create", "web_log", "--partitions", "1", "--set", "max.message.bytes=4000", "--bootstrap", _bootstrap)).Status);
        string large = Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8000));
        File.WriteAllText(_workspace.File("hole.log"), $"a\n{large}\nb\n");
        File.WriteAllText(_workspace.File("end.log"), $"c\n{large}\n");
        File.WriteAllText(_workspace.File("fast.log"), string.Concat(Enumerable.Repeat("again\n", 50)));
        await using RealProcess sink = _workspace.Start("sink", "web");
        await using RealProcess agent = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await Deadline.UntilAsync(Within, async () => (await _workspace.RunAsync("query", "--sink", "web", "--columns", "line", "--limit", "0", "--output", "csv")).Output.Count(static c => c == '\n') == 6, () => agent.Errors);
        // The last that it publishes is that it has stopped.
        Assert.Equal(0, await agent.TerminateAsync());
        (int status, string output, string errors) = await _workspace.RunAsync("verify", "web");
        string refused = $"; brokers refused 1 line of it for good: the reason and the bytes are in {_workspace.File("state")}/dead-letters on web1\n";
        Assert.True(status == 1, output + errors);
        Assert.Contains($"note: web1:{_workspace.File("fast.log")}: 48 lines (288 bytes) were left out by the agent's rate_limit (policy: drop)\n", output, StringComparison.Ordinal);
        Assert.Matches($@"{_workspace.File("hole.log")} bytes 2 to 16002 are in no record of web_log \(1 holes in generation [0-9a-f]+\){refused}", output);
        Assert.Contains($"{_workspace.File("end.log")} has lines that are in no record of web_log{refused}", output, StringComparison.Ordinal);
    }
}
