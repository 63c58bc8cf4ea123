using System.Text.RegularExpressions;
using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>What an agent says of itself, asked while it runs and afterwards.</summary>
public sealed class AgentVerbTests : IDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";
    private readonly string _admin = $"127.0.0.1:{Ports.Free()}";

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Explain_status_and_plan_ask_the_agent_that_runs_and_else_its_state_directory()
    {
        Configure("a.log");
        string log = _workspace.File("a.log");
        string other = _workspace.File("b.log");
        File.WriteAllText(log, "a 1\na 2\n");
        File.WriteAllText(other, "b 1\n");
        await using (RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning"))
        {
            await broker.ReadyAsync();
            await using RealProcess agent = RealProcess.Start(Programs.Agent, _workspace.Folder, ["run"]);
            await agent.ReadyAsync();
            await Deadline.UntilAsync(Within, async () => (await RunAsync("explain", log)).Output.Contains("acked to byte 8, read to 8, of 8", StringComparison.Ordinal), () => agent.Errors);
            (int status, string output) = await RunAsync("explain", "a.log");
            Assert.True(status == 0 && output.EndsWith("\nread\n", StringComparison.Ordinal), output);
            Assert.Contains($"logpipe.yaml:6 topic t: {log}", output, StringComparison.Ordinal);
            Assert.Equal(1, (await RunAsync("explain", other)).Status);

            (status, output) = await RunAsync("status");
            Assert.True(status == 0 && output.Split('\n').All(static line => line.Length <= 80), output);
            Assert.Contains(": 1 file, 0 B behind", output, StringComparison.Ordinal);
            Assert.Contains("a.log  t ", output, StringComparison.Ordinal);
            Assert.Contains("\"acked\":8", (await RunAsync("status", "--json")).Output, StringComparison.Ordinal);

            foreach (string program in new[] { Programs.Agent, Programs.Logpipe })
            {
                // Which lasts until it is stopped, or nobody reads on.
                (_, output, string errors) = await RealProcess.RunAsync("bash", _workspace.Folder, ["-c", $"{program} status --watch | head -c 1 | wc -c; echo ${{PIPESTATUS[0]}}"]);
                Assert.Equal(("1\n0\n", ""), (output, errors));
            }

            Configure("b.log");
            (status, output) = await RunAsync("plan");
            Assert.Equal(0, status);
            Assert.Contains($"start      {other} -> t, from byte 0: 4 B", output, StringComparison.Ordinal);
            Assert.Contains($"stop       {log} -> t, at byte 8: 0 B not read", output, StringComparison.Ordinal);
            Configure("a.log");
            Assert.Equal(0, await agent.TerminateAsync());
        }
        (int offline, string said) = await RunAsync("explain", log);
        Assert.True(offline == 0 && said.Contains("read when the agent runs; none answers now", StringComparison.Ordinal), said);
        Assert.Contains("acked to byte 8, read to 8, of 8", said, StringComparison.Ordinal);
        Assert.Contains($"! no agent answers at {_admin}", (await RunAsync("status")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_refuses_is_in_the_log_at_once_and_in_health_after_a_while()
    {
        Configure("a.log");
        File.WriteAllText(_workspace.File("a.log"), "a 1\n");
        await using RealProcess agent = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await agent.ReadyAsync();
        await Deadline.UntilAsync(TimeSpan.FromSeconds(20), () => Task.FromResult(agent.Errors.Contains($"Broker {_bootstrap}: Connection refused; trying again", StringComparison.Ordinal)), () => agent.Errors);
        using var http = new HttpClient();
        string health = "";
        await Deadline.UntilAsync(Within, async () =>
        {
            using HttpResponseMessage answer = await http.GetAsync(new Uri($"http://{_admin}/healthz"));
            health = await answer.Content.ReadAsStringAsync();
            return (int)answer.StatusCode == 503;
        }, () => agent.Errors);
        Assert.Contains("agent: no broker can be reached since ", health, StringComparison.Ordinal);
        await using RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning");
        await Deadline.UntilAsync(Within, async () => await http.GetStringAsync(new Uri($"http://{_admin}/metrics")) is string metrics
            && metrics.Contains("logpipe_agent_problems 0", StringComparison.Ordinal), () => agent.Errors);
        await agent.SaidAsync($"Broker {_bootstrap}: connected again after ");
    }

    [Fact]
    public async Task Agents_of_all_servers_are_listed_from_the_status_topic()
    {
        Configure("a.log");
        File.WriteAllText(_workspace.File("a.log"), "a 1\n");
        await using RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning");
        await broker.ReadyAsync();
        (int status, string _, string errors) = await _workspace.RunAsync("agents", "--bootstrap", _bootstrap);
        Assert.True(status == 1 && errors.Contains("no agent has published to topic 'logpipe_agents'", StringComparison.Ordinal), errors);
        KeyValuePair<string, string>[] second =
        [
            KeyValuePair.Create("LOGPIPE__AGENT__STATE", _workspace.File("second")), KeyValuePair.Create("LOGPIPE__AGENT__HOST", "web2"),
            KeyValuePair.Create("LOGPIPE__ADMIN__LISTEN", "127.0.0.1:0"),
        ];
        await using RealProcess first = RealProcess.Start(Programs.Agent, _workspace.Folder, [], [KeyValuePair.Create("LOGPIPE__AGENT__HOST", "web1")]);
        await using RealProcess other = RealProcess.Start(Programs.Agent, _workspace.Folder, [], second);
        string output = "";
        // What an agent publishes first may be from before it found its file.
        await Deadline.UntilAsync(Within, async () =>
        {
            output = (await _workspace.RunAsync("agents", "--bootstrap", _bootstrap)).Output;
            return Regex.IsMatch(output, @"^HOST +VERSION +FILES +LAG +RATE +SEEN +HEALTH\nweb1 +\S+ +1 .* ok\nweb2 +\S+ +1 .* ok\n$");
        }, () => output + first.Errors);
        Assert.Contains("retention.ms=3600000", (await _workspace.RunAsync("topics", "describe", "logpipe_agents", "--bootstrap", _bootstrap)).Output, StringComparison.Ordinal);
        string json = (await _workspace.RunAsync("agents", "--json", "--bootstrap", _bootstrap)).Output;
        Assert.Equal(2, json.Split("\"agent_id\":").Length - 1);
        await other.KillAsync();
        Assert.Equal(0, await first.TerminateAsync());
        output = (await _workspace.RunAsync("agents", "--bootstrap", _bootstrap)).Output;
        Assert.Matches(@"\nweb1 .* stopped\nweb2 .* ok\n$", output);
    }

    [Theory]
    [InlineData("unknown argument 'explian'; did you mean 'explain'?", "explian", "/x")]
    [InlineData("explain needs a path, such as: logpipe-agent explain /var/log/nginx/access.log", "explain")]
    [InlineData("--watch goes with status only; --help shows what there is", "plan", "--watch")]
    [InlineData("unknown argument '--jsn'; did you mean '--json'?", "status", "--jsn")]
    public async Task A_mistyped_command_is_one_line_and_status_2(string expected, params string[] arguments)
    {
        (int status, string output, string errors) = await RealProcess.RunAsync(Programs.Agent, _workspace.Folder, arguments);
        Assert.Equal((2, "", $"logpipe-agent: {expected}\n"), (status, output, errors));
    }

    private async Task<(int Status, string Output)> RunAsync(params string[] arguments)
    {
        (int status, string output, string errors) = await RealProcess.RunAsync(Programs.Agent, _workspace.Folder, arguments);
        return (status, output + errors);
    }

    private void Configure(string name) => _workspace.Configure($$"""
        admin: { listen: "{{_admin}}" }
        agent:
          bootstrap: {{_bootstrap}}
          reload: signal
          inputs:
            - paths: [{{_workspace.File(name)}}]
              topic: t
        """);
}
