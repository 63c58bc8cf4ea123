using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>Topics by template, from files to tables, with real processes, rotations and a kill.</summary>
public sealed class TopicByPathTests : IDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";
    private readonly Dictionary<string, int> _written = new() { ["a"] = 0, ["b"] = 0 };

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Each_directory_has_its_topic_and_each_line_is_stored_once()
    {
        _workspace.Configure($$"""
            agent:
              bootstrap: {{_bootstrap}}
              status_topic: off
              inputs:
                - paths: ["{{_workspace.Folder}}/logs/*/*.log*"]
                  topic: web_{dir}
            sinks:
              - name: web
                bootstrap: {{_bootstrap}}
                topics: [web_a, web_b]
                sqlite: { file: rows.db, table: web }
            """);
        Assert.Contains("logs/*/*.log* -> web_{dir}", (await _workspace.RunAsync("config", "check")).Output, StringComparison.Ordinal);
        await using RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning");
        await broker.ReadyAsync();
        Write("a", 2000);
        Write("b", 3000);
        await using (RealProcess first = RealProcess.Start(Programs.Agent, _workspace.Folder, []))
        {
            await first.ReadyAsync();
            Rotate("a");
            Write("a", 2000);
            Write("b", 1000);
            await first.KillAsync();
        }
        Rotate("b");
        Write("b", 1000);
        // From another directory on, it is still the file that it was.
        Directory.CreateDirectory(_workspace.File("logs/old"));
        File.Move(_workspace.File("logs/a/app.log.1"), _workspace.File("logs/old/app.log.1"));
        await using RealProcess agent = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await using RealProcess sink = _workspace.Start("sink", "web");
        await sink.ReadyAsync();
        Write("a", 1000);
        string output = "";
        await Deadline.UntilAsync(Within, async () =>
        {
            output = (await _workspace.RunAsync("query", "--sink", "web", "--columns", "topic,line", "--limit", "0", "--output", "csv")).Output;
            return output.Split('\n').Count(static line => line.StartsWith("web_", StringComparison.Ordinal)) >= _written.Values.Sum();
        }, () => $"{agent.Errors}{sink.Errors}{output}");
        foreach ((string directory, int lines) in _written)
        {
            HashSet<string> expected = [.. Enumerable.Range(0, lines).Select(i => $"web_{directory},{directory} {i}")];
            Assert.True(expected.SetEquals(output.Split('\n').Where(line => line.StartsWith($"web_{directory},", StringComparison.Ordinal))), directory);
        }
        (int status, string verified, string errors) = await _workspace.RunAsync("verify");
        Assert.True(status == 0 && verified.EndsWith($"web: {_written.Values.Sum()} rows, each line once\n", StringComparison.Ordinal), verified + errors);
        Assert.DoesNotContain("web_old", (await _workspace.RunAsync("topics", "list", "--bootstrap", _bootstrap)).Output, StringComparison.Ordinal);
        Assert.Equal(0, await agent.TerminateAsync());
    }

    [Fact]
    public async Task A_template_that_cannot_be_is_refused_where_it_stands()
    {
        _workspace.Configure("agent:\n  inputs:\n    - paths: [/var/log/*/*.log]\n      topic: web_{3}\n");
        (int status, _, string errors) = await RealProcess.RunAsync(Programs.Agent, _workspace.Folder, ["config", "check"]);
        Assert.Equal(2, status);
        Assert.EndsWith("logpipe.yaml:4: agent.inputs[0].topic: 'web_{3}': {3} is no group of wildcards in '/var/log/*/*.log', which has 2\n", errors, StringComparison.Ordinal);
    }

    private void Write(string directory, int lines)
    {
        Directory.CreateDirectory(_workspace.File($"logs/{directory}"));
        int from = _written[directory];
        File.AppendAllLines(_workspace.File($"logs/{directory}/app.log"), Enumerable.Range(from, lines).Select(i => $"{directory} {i}"));
        _written[directory] = from + lines;
    }

    private void Rotate(string directory) => File.Move(_workspace.File($"logs/{directory}/app.log"), _workspace.File($"logs/{directory}/app.log.1"));
}
