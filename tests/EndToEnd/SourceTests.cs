using System.Text;
using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>Inputs that are no files, with real processes.</summary>
public sealed class SourceTests : IDisposable
{
    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Standard_input_is_published_and_the_program_ends_when_all_of_it_is_acked()
    {
        await using RealProcess broker = await BrokerAsync();
        string lines = string.Concat(Enumerable.Range(0, 50_000).Select(static i => $"line {i} of the application\n"));
        (int status, string output, string errors) = await RealProcess.RunAsync(
            Programs.Agent, _workspace.Folder, ["--stdin", "--topic", "app", "--bootstrap", _bootstrap, "--state", "state"], Encoding.ASCII.GetBytes(lines + "the last has no line feed"));
        Assert.True((status, output) == (0, ""), errors);
        Assert.Equal(lines + "the last has no line feed\n", await TopicAsync("app"));
        Assert.Empty(Directory.GetFiles(_workspace.File("state/spool/stdin-app")));
        string json = (await _workspace.RunAsync("consume", "app", "--from-beginning", "--limit", "1", "--output", "json", "--bootstrap", _bootstrap)).Output;
        Assert.Contains("\"file\":\"stdin\"", json, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Standard_input_that_was_taken_while_the_broker_was_away_is_sent_by_the_next_run()
    {
        string[] arguments = ["--stdin", "--topic", "app", "--bootstrap", _bootstrap, "--state", "state"];
        string folder = _workspace.File("state/spool/stdin-app");
        await using (RealProcess first = RealProcess.Start(Programs.Agent, _workspace.Folder, arguments))
        {
            await first.WriteInputAsync("one\ntwo\n");
            await Deadline.UntilAsync(TimeSpan.FromSeconds(60), () => Task.FromResult(
                Directory.Exists(folder) && Directory.GetFiles(folder).Sum(static file => new FileInfo(file).Length) == 8), () => first.Errors);
            await first.KillAsync();
        }
        await using RealProcess broker = await BrokerAsync();
        (int status, _, string errors) = await RealProcess.RunAsync(Programs.Agent, _workspace.Folder, arguments, "three\n"u8.ToArray());
        Assert.True(status == 0, errors);
        Assert.Equal("one\ntwo\nthree\n", await TopicAsync("app"));
    }

    private async Task<RealProcess> BrokerAsync()
    {
        RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--set", "num.partitions=1", "--log-level", "warning");
        await broker.ReadyAsync();
        return broker;
    }

    private async Task<string> TopicAsync(string topic)
    {
        (int status, string output, string errors) = await _workspace.RunAsync("consume", topic, "--from-beginning", "--until-end", "--bootstrap", _bootstrap);
        Assert.True(status == 0, errors);
        return output;
    }
}
