using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>SIGHUP and a real agent.</summary>
public sealed class ReloadTests : IAsyncLifetime, IDisposable
{
    private const string Wrong = "agent: { bootstrap: nowhere, inputs: [ { pths: [/x], topic: t } ] }";

    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";

    private RealProcess _broker = null!;
    private RealProcess _agent = null!;
    private RealProcess _consumer = null!;

    /// <summary>An agent runs that reads the first of two files.</summary>
    public async Task InitializeAsync()
    {
        _broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning");
        await _broker.ReadyAsync();
        Configure("a.log");
        Write("a.log", "a 1");
        Write("b.log", "b 1");
        _agent = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await _agent.ReadyAsync();
        _consumer = _workspace.Start("consume", "t", "--from-beginning", "--bootstrap", _bootstrap);
        await _consumer.LineAsync(line => line.EndsWith("a 1", StringComparison.Ordinal), Within);
    }

    public async Task DisposeAsync()
    {
        foreach (RealProcess? process in (RealProcess?[])[_consumer, _agent, _broker])
        {
            await (process?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
    }

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task A_changed_configuration_is_applied_and_a_wrong_one_refused()
    {
        Configure("a.log", "b.log");
        _agent.HangUp();
        await _consumer.LineAsync(line => line.EndsWith("b 1", StringComparison.Ordinal), Within);

        _workspace.Configure(Wrong);
        _agent.HangUp();
        await _agent.SaidAsync("is refused, the old one goes on");
        Write("a.log", "a 2");
        Write("b.log", "b 2");
        await _consumer.LineAsync(line => line.EndsWith("a 2", StringComparison.Ordinal), Within);
        await _consumer.LineAsync(line => line.EndsWith("b 2", StringComparison.Ordinal), Within);

        _broker.HangUp();
        await _broker.SaidAsync("SIGHUP changes nothing here");
        Assert.Equal(0, await _agent.TerminateAsync());
        Assert.Equal(4, _consumer.Output.Count);
    }

    [Fact]
    public async Task A_changed_file_is_applied_by_itself_and_a_wrong_one_refused_once()
    {
        _workspace.Configure(Wrong);
        await _agent.SaidAsync("has changed: the configuration is refused, the old one goes on: ");
        Write("a.log", "a 2");
        await _consumer.LineAsync(line => line.EndsWith("a 2", StringComparison.Ordinal), Within);

        Configure("a.log", "b.log");
        await _consumer.LineAsync(line => line.EndsWith("b 1", StringComparison.Ordinal), Within);
        Write("a.log", "a 3");
        await _consumer.LineAsync(line => line.EndsWith("a 3", StringComparison.Ordinal), Within);
        Assert.Equal(0, await _agent.TerminateAsync());
        Assert.Equal(1, _agent.Errors.Split("is refused").Length - 1);
        Assert.Equal(1, _agent.Errors.Split("has changed: the configuration is read anew and applied").Length - 1);
        Assert.Equal(4, _consumer.Output.Count);
    }

    [Fact]
    public async Task A_file_behind_a_link_that_is_switched_is_applied()
    {
        // as Kubernetes does with a ConfigMap: the link at the file's own place stays as it is
        Directory.CreateDirectory(_workspace.File("v1"));
        Directory.CreateDirectory(_workspace.File("v2"));
        File.WriteAllText(_workspace.File("v1/logpipe.yaml"), Wrong);
        File.WriteAllText(_workspace.File("v2/logpipe.yaml"), Text("b.log"));
        Directory.CreateSymbolicLink(_workspace.File("data-now"), "v1");
        File.CreateSymbolicLink(_workspace.File("link"), "data-now/logpipe.yaml");
        File.Move(_workspace.File("link"), _workspace.File("logpipe.yaml"), overwrite: true);
        await _agent.SaidAsync("is refused, the old one goes on");

        Directory.Delete(_workspace.File("data-now"));
        Directory.CreateSymbolicLink(_workspace.File("data-now"), "v2");
        await _consumer.LineAsync(line => line.EndsWith("b 1", StringComparison.Ordinal), Within);
        Assert.Equal(0, await _agent.TerminateAsync());
    }

    [Fact]
    public async Task A_file_of_the_same_time_and_length_is_applied()
    {
        var time = new DateTime(2001, 9, 9, 0, 0, 0, DateTimeKind.Utc);
        string next = Text("b.log");
        Replace(Wrong.PadRight(next.Length), time);
        await _agent.SaidAsync("is refused, the old one goes on");

        Replace(next, time);
        await _consumer.LineAsync(line => line.EndsWith("b 1", StringComparison.Ordinal), Within);
        Assert.Equal(0, await _agent.TerminateAsync());
    }

    [Fact]
    public async Task With_a_configuration_that_it_cannot_start_with_the_old_one_goes_on()
    {
        File.WriteAllText(_workspace.File("occupied"), "");
        _workspace.Configure(Text("b.log").Replace("  inputs:", $"  state: {_workspace.File("occupied")}/state\n  inputs:", StringComparison.Ordinal));
        await _agent.SaidAsync("is refused, the old one goes on");
        Write("a.log", "a 2");
        await _consumer.LineAsync(line => line.EndsWith("a 2", StringComparison.Ordinal), Within);
        Configure("a.log", "b.log");
        await _consumer.LineAsync(line => line.EndsWith("b 1", StringComparison.Ordinal), Within);
        Assert.Equal(0, await _agent.TerminateAsync());
        Assert.Equal(3, _consumer.Output.Count);
    }

    private void Replace(string text, DateTime time)
    {
        File.WriteAllText(_workspace.File("next"), text);
        File.SetLastWriteTimeUtc(_workspace.File("next"), time);
        File.Move(_workspace.File("next"), _workspace.File("logpipe.yaml"), overwrite: true);
    }

    private void Write(string name, string line) => File.AppendAllText(_workspace.File(name), line + "\n");

    private void Configure(params string[] names) => _workspace.Configure(Text(names));

    private string Text(params string[] names) => $$"""
        agent:
          bootstrap: {{_bootstrap}}
          inputs:
            - paths: [{{string.Join(", ", names.Select(_workspace.File))}}]
              topic: t
        """;
}
