using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>Verbs that end before they are done: by a signal, or since nobody reads on.</summary>
public sealed class StoppedVerbTests : IAsyncLifetime, IDisposable
{
    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";
    private RealProcess? _broker;

    public async Task InitializeAsync()
    {
        _broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning");
        await _broker.ReadyAsync();
    }

    public async Task DisposeAsync() => await _broker!.DisposeAsync();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Status_tells_that_a_signal_came_before_the_end_and_not_that_all_is_done()
    {
        await _workspace.RunAsync("first\n"u8.ToArray(), "produce", "notes", "--bootstrap", _bootstrap);
        Assert.Equal(130, await (await ReadingAsync("--limit", "2")).InterruptAsync());
        Assert.Equal(143, await (await ReadingAsync("--limit", "2")).TerminateAsync());
        Assert.Equal(0, await (await ReadingAsync()).InterruptAsync()); // its only end
    }

    [Fact]
    public async Task What_is_without_end_ends_when_nobody_reads_it()
    {
        string line = new('x', 999);
        await _workspace.RunAsync([.. Enumerable.Repeat(System.Text.Encoding.UTF8.GetBytes(line + "\n"), 500).SelectMany(bytes => bytes)], "produce", "notes", "--bootstrap", _bootstrap);
        string command = $"{string.Join(' ', Programs.Logpipe, "consume", "notes", "--from-beginning", "--bootstrap", _bootstrap)} | head -1; echo ${{PIPESTATUS[0]}}";
        (int _, string output, string errors) = await RealProcess.RunAsync("bash", _workspace.Folder, ["-c", command]);
        Assert.Equal(($"{line}\n0\n", ""), (output, errors));
    }

    /// <summary>A consumer that has printed what there is.</summary>
    private async Task<RealProcess> ReadingAsync(params string[] options)
    {
        // Who runs the tests in the background has them ignore Ctrl-C, and what they start with them.
        RealProcess consumer = RealProcess.Start("env", _workspace.Folder, ["--default-signal=INT", Programs.Logpipe, "consume", "notes", "--from-beginning", "--bootstrap", _bootstrap, .. options]);
        await consumer.LineAsync(text => text == "first", TimeSpan.FromSeconds(60));
        return consumer;
    }
}
