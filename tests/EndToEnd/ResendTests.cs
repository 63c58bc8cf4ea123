using System.Text;
using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>A topic that lost records gets them again from the files, with real processes: sinks that have the lines drop them, one that is built anew has each once.</summary>
public sealed class ResendTests : IDisposable
{
    private const int Lines = 3000;
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Deleted_records_are_sent_again_and_each_line_is_stored_once()
    {
        WriteFiles();
        Configure();
        string[] files = ["plain.log", "docker.log", "wide.log"];
        await using RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning");
        await broker.ReadyAsync();
        await using RealProcess agent = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await using RealProcess sink = _workspace.Start("sink", "first");
        await agent.ReadyAsync();
        await UntilRowsAsync("first", sink);
        string[] expected = await RowsAsync("first");
        File.Move(_workspace.File("plain.log"), _workspace.File("plain.log.1"));
        files[0] = "plain.log.1";

        Assert.Equal(0, (await _workspace.RunAsync("records", "delete", "t", "--all", "--bootstrap", _bootstrap)).Status);
        (int status, string output, string errors) = await SendAsync("plain.log.1", "--from", "100", "--to", "200", "--dry-run");
        Assert.True(status == 0 && output.Contains("nothing was sent", StringComparison.Ordinal), output + errors);
        // While the agent runs, and once more after it: the repeats harm nobody.
        foreach (bool isRunning in new[] { true, false })
        {
            if (!isRunning)
            {
                Assert.Equal(0, await agent.TerminateAsync());
            }
            foreach (string file in files)
            {
                (status, output, errors) = await SendAsync(file);
                Assert.True(status == 0, output + errors);
                Assert.Matches(@$"sent \d+ lines, bytes 0 to {new FileInfo(_workspace.File(file)).Length} of the file, to t-\d, marked again: offsets \d+ to \d+", output);
            }
            await VerifiedAsync("first");
            Assert.Equal(expected, await RowsAsync("first"));
        }
        await using RealProcess rebuilt = _workspace.Start("sink", "second");
        await UntilRowsAsync("second", rebuilt);
        await VerifiedAsync("second");
        Assert.Equal(expected, await RowsAsync("second"));

        // A topic that was made anew is another log: it gets the lines all the same, once for each sink.
        Assert.Equal(0, await rebuilt.TerminateAsync());
        Assert.Equal(0, await sink.TerminateAsync());
        Assert.Equal(0, (await _workspace.RunAsync("topics", "delete", "t", "--bootstrap", _bootstrap)).Status);
        (status, _, errors) = await SendAsync("wide.log");
        Assert.Equal((1, "logpipe-agent: there is no topic t; make it, then send again\n"), (status, errors));
        Assert.Equal(0, (await _workspace.RunAsync("topics", "create", "t", "--partitions", "2", "--bootstrap", _bootstrap)).Status);
        foreach (string file in files)
        {
            (status, output, errors) = await SendAsync(file);
            Assert.True(status == 0, output + errors);
            Assert.Contains("is another log than the one that the agent's state names: another cluster, or the topic was made anew", output, StringComparison.Ordinal);
        }
        await using RealProcess third = _workspace.Start("sink", "third");
        await UntilRowsAsync("third", third);
        await VerifiedAsync("third");
        Assert.Equal(expected, await RowsAsync("third"));
        await using RealProcess former = _workspace.Start("sink", "first");
        await using RealProcess next = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await next.ReadyAsync();
        File.AppendAllText(_workspace.File("plain.log"), "after all\n");
        await Deadline.UntilAsync(Within, async () => (await RowsAsync("third")).Length == expected.Length + 1 && (await RowsAsync("first")).Length == expected.Length + 1, () => next.Errors + former.Errors);
        await VerifiedAsync("third");
        await VerifiedAsync("first");
    }

    [Fact]
    public async Task What_cannot_be_sent_is_one_line_and_a_status()
    {
        Configure();
        File.WriteAllText(_workspace.File("plain.log"), "a\nb\n");
        await using (RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning"))
        {
            await broker.ReadyAsync();
            await using RealProcess agent = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
            await agent.ReadyAsync();
            await Deadline.UntilAsync(Within, async () => (await SendAsync("plain.log", "--dry-run")).Output.Contains("would send 2 lines", StringComparison.Ordinal), () => agent.Errors);
            Assert.Equal(0, await agent.TerminateAsync());
        }
        (int status, _, string errors) = await SendAsync("plain.log");
        Assert.True(status == 3 && errors.StartsWith("logpipe-agent: no broker can be reached: ", StringComparison.Ordinal), errors);
        File.WriteAllText(_workspace.File("plain.log"), "a\nB\n");
        (status, _, errors) = await SendAsync("plain.log");
        Assert.Equal((1, "logpipe-agent: the file does not hold what was read of it: it was cut or written anew; nothing is sent\n"), (status, errors));
        (status, _, errors) = await SendAsync("plain.log", "--from", "4", "--to", "4");
        Assert.Equal((2, "logpipe-agent: --from 4 is not below --to 4\n"), (status, errors));
        (status, _, errors) = await SendAsync("other.log");
        Assert.True(status == 1 && errors.Contains("the agent's state knows nothing of it", StringComparison.Ordinal), errors);
    }

    private void WriteFiles()
    {
        File.WriteAllText(_workspace.File("plain.log"), string.Concat(Enumerable.Range(0, Lines).Select(static i => $"plain {i}\n")));
        File.WriteAllText(_workspace.File("docker.log"), string.Concat(Enumerable.Range(0, Lines).Select(static i =>
            $"{{\"log\":\"{(i % 3 == 0 ? "docker" : "  at frame")} {i}\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:00Z\"}}\n")));
        File.WriteAllText(_workspace.File("wide.log"), string.Concat(Enumerable.Range(0, Lines).Select(static i => $"größe {i}\r\n")), Encoding.Unicode);
    }

    private void Configure() => _workspace.Configure($$"""
        agent:
          bootstrap: {{_bootstrap}}
          status_topic: off
          request_timeout: 5s
          inputs:
            - paths: ["{{_workspace.File("plain.log")}}"]
              topic: t
            - paths: ["{{_workspace.File("docker.log")}}"]
              topic: t
              format: docker
              multiline: { continue: '^ ', timeout: 500ms }
            - paths: ["{{_workspace.File("wide.log")}}"]
              topic: t
              exclude_lines: ["7"]
        sinks:
          - { name: first, bootstrap: "{{_bootstrap}}", topics: [t], sqlite: { file: first.db, table: lines } }
          - { name: second, bootstrap: "{{_bootstrap}}", topics: [t], sqlite: { file: second.db, table: lines } }
          - { name: third, bootstrap: "{{_bootstrap}}", topics: [t], sqlite: { file: third.db, table: lines } }
        """);

    private Task<(int Status, string Output, string Errors)> SendAsync(string file, params string[] arguments) =>
        RealProcess.RunAsync(Programs.Agent, _workspace.Folder, ["resend", file, .. arguments]);

    private async Task<string[]> RowsAsync(string sink) =>
        [.. (await _workspace.RunAsync("query", "--sink", sink, "--columns", "file,file_offset,line", "--limit", "0", "--output", "jsonl")).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];

    private Task UntilRowsAsync(string sink, RealProcess process)
    {
        int wide = Enumerable.Range(0, Lines).Count(static i => !$"{i}".Contains('7', StringComparison.Ordinal));
        return Deadline.UntilAsync(Within, async () => (await RowsAsync(sink)).Length >= Lines + (Lines / 3) + wide, () => process.Errors);
    }

    private async Task VerifiedAsync(string sink)
    {
        string output = "";
        await Deadline.UntilAsync(Within, async () =>
        {
            (int status, output, string errors) = await _workspace.RunAsync("verify", sink);
            output += errors;
            return status == 0 && output.EndsWith("each line once\n", StringComparison.Ordinal) && !output.Contains("  no\n", StringComparison.Ordinal);
        }, () => output);
    }
}
