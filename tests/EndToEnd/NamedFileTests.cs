using LogPipeline.EndToEnd.Harness;
using LogPipeline.Files;

namespace LogPipeline.EndToEnd;

/// <summary>A file's name may be any bytes: one from a system in Latin-1 is followed like any other, and shown with the byte's number.</summary>
public sealed class NamedFileTests : IDisposable
{
    private readonly Workspace _workspace = new();
    private readonly OsFileSystem _files = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";

    public void Dispose()
    {
        // The class library cannot remove such names.
        foreach (DirectoryEntry entry in _files.List(_workspace.File("logs")))
        {
            _files.Delete(_workspace.File($"logs/{entry.Name}"));
        }
        _workspace.Dispose();
    }

    [Fact]
    public async Task A_name_in_Latin_1_is_followed_over_restarts_and_rotation()
    {
        StoredLines.Configure(_workspace, _bootstrap, "logs/*.log");
        Directory.CreateDirectory(_workspace.File("logs"));
        string log = _workspace.File("logs/caf\udce9.log");
        await using RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning");
        await broker.ReadyAsync();
        await using RealProcess sink = _workspace.Start("sink", "web");
        await sink.ReadyAsync();
        await WriteAsync("line 1\n", log);
        await using (RealProcess first = RealProcess.Start(Programs.Agent, _workspace.Folder, []))
        {
            await first.ReadyAsync();
            await StoredLines.UntilAsync(_workspace, 1, first);
            await WriteAsync("line 1\nline 2\n", log);
            await StoredLines.UntilAsync(_workspace, 2, first);
            (int status, string explained, string errors) = await RealProcess.RunAsync(Programs.Agent, _workspace.Folder, ["explain", PathText.Show(log)]);
            Assert.True(status == 0 && explained.StartsWith(PathText.Show(log), StringComparison.Ordinal), explained + errors);
            await first.KillAsync();
        }
        _files.Rename(log, log + ".1");
        await WriteAsync("line 3\n", log);
        await using RealProcess second = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await StoredLines.UntilAsync(_workspace, 3, second);
        (int verified, string output, _) = await _workspace.RunAsync("verify", "web");
        Assert.True(verified == 0 && output.EndsWith("web: 3 rows, each line once\n", StringComparison.Ordinal) && output.Contains("logs/caf\\xE9.log", StringComparison.Ordinal), output);
    }

    /// <summary>Replaces the content and keeps the file, so that a growing text is an append.</summary>
    private async Task WriteAsync(string text, string path)
    {
        string other = _workspace.File("other");
        if (_files.Stat(path) is not null)
        {
            _files.Rename(path, other);
        }
        await using (var file = new FileStream(other, FileMode.OpenOrCreate))
        {
            await file.WriteAsync(System.Text.Encoding.ASCII.GetBytes(text));
        }
        _files.Rename(other, path);
    }
}
