using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>Files that a path names by a link, as Kubernetes does: the link stays, and what it leads to is renamed beside its target.</summary>
public sealed class LinkedFileTests : IDisposable
{
    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task A_rotation_behind_a_link_is_followed_while_the_agent_runs_and_while_it_is_away()
    {
        StoredLines.Configure(_workspace, _bootstrap, "containers/*.log");
        string target = _workspace.File("pods/web/0.log");
        Directory.CreateDirectory(_workspace.File("pods/web"));
        Directory.CreateDirectory(_workspace.File("containers"));
        await File.WriteAllTextAsync(target, "line 1\n");
        File.CreateSymbolicLink(_workspace.File("containers/web.log"), target);
        await using RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning");
        await broker.ReadyAsync();
        await using RealProcess sink = _workspace.Start("sink", "web");
        await sink.ReadyAsync();
        await using (RealProcess first = RealProcess.Start(Programs.Agent, _workspace.Folder, []))
        {
            await first.ReadyAsync();
            await StoredLines.UntilAsync(_workspace, 1, first);
            await File.AppendAllTextAsync(target, "line 2\n");
            File.Move(target, target + ".1");
            await File.AppendAllTextAsync(target + ".1", "line 3\n");
            await File.WriteAllTextAsync(target, "line 4\n");
            await StoredLines.UntilAsync(_workspace, 4, first);
            Assert.Equal(0, await first.TerminateAsync());
        }
        await File.AppendAllTextAsync(target, "line 5\n");
        File.Move(target, target + ".2");
        await File.WriteAllTextAsync(target, "line 6\n");
        await using RealProcess second = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await StoredLines.UntilAsync(_workspace, 6, second);
    }
}
