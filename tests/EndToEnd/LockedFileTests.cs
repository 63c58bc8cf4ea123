using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>Applications lock their logs by flock(2), some of them waiting: the agent's open handle is not in their way.</summary>
public sealed class LockedFileTests : IDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task A_file_that_the_agent_holds_open_can_be_locked_by_its_application()
    {
        // No broker is there: what is unread keeps the file open.
        _workspace.Configure($$"""
            agent:
              bootstrap: 127.0.0.1:{{Ports.Free()}}
              status_topic: off
              inputs:
                - paths: ["{{_workspace.Folder}}/app.log"]
                  topic: web_log
            """);
        string log = _workspace.File("app.log");
        await File.WriteAllTextAsync(log, "line 1\n");
        await using RealProcess agent = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await agent.ReadyAsync();
        await Deadline.UntilAsync(Within, () => Task.FromResult(IsOpenIn(agent.Id, log)), () => agent.Errors);

        (int status, _, string errors) = await RealProcess.RunAsync("flock", _workspace.Folder, ["--exclusive", "--nonblock", log, "true"]);

        Assert.True(status == 0, $"flock ended with {status}: {errors}");
        Assert.True(IsOpenIn(agent.Id, log));
    }

    private static bool IsOpenIn(int process, string path) => Directory.EnumerateFiles($"/proc/{process}/fd")
        .Any(handle => new FileInfo(handle).LinkTarget == path);
}
