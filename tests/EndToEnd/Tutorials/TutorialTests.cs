using System.Text.RegularExpressions;
using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Tutorials;

/// <summary>The commands of Kafka's quick start and of common tutorials do here what they do there, by <c>deploy/bin</c> against a real broker.</summary>
public sealed class TutorialTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";
    private RealProcess? _broker;

    public async Task InitializeAsync()
    {
        Directory.CreateSymbolicLink(_workspace.File("bin"), Path.Combine(Programs.Root, "deploy", "bin"));
        _broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning");
        await _broker.ReadyAsync();
    }

    public async Task DisposeAsync() => await _broker!.DisposeAsync();

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData("quickstart.txt")]
    [InlineData("topics.txt")]
    [InlineData("groups.txt")]
    [InlineData("configs.txt")]
    [InlineData("options.txt")]
    [InlineData("zookeeper-era.txt")]
    public async Task Commands_print_what_the_tutorial_shows(string name)
    {
        Transcript transcript = Transcript.Read(name);
        Assert.NotEmpty(transcript.Commands);
        foreach (TypedCommand command in transcript.Commands)
        {
            await CheckAsync(command);
        }
    }

    [Fact]
    public void Every_command_is_there_with_and_without_sh()
    {
        string[] names = [.. Directory.GetFiles(_workspace.File("bin")).Select(static path => Path.GetFileName(path)).Where(static name => !name.Contains('.', StringComparison.Ordinal))];
        Assert.Contains("kafka-topics", names);
        foreach (string name in names.Where(static name => name != "kafka-tool"))
        {
            string script = _workspace.File($"bin/{name}.sh");
            Assert.True(File.Exists(script) && (OperatingSystem.IsWindows() || File.GetUnixFileMode(script).HasFlag(UnixFileMode.UserExecute)), $"{name}.sh is missing or cannot be run");
        }
    }

    private async Task CheckAsync(TypedCommand command)
    {
        string text = command.Text.Replace("localhost:9092", _bootstrap, StringComparison.Ordinal);
        await using var shell = RealProcess.Start("/bin/bash", _workspace.Folder, ["-c", text], [KeyValuePair.Create("LOGPIPE", Programs.Logpipe)]);
        int status = await shell.ExitAsync(Patience);
        string[] output = [.. shell.Output.Where(static line => line.Length > 0)];
        string seen = $"{text}\ngave {status} and printed\n{string.Join('\n', output)}\n{shell.Errors}";
        Assert.True(status == command.Status, seen);
        Assert.True(output.Length == command.Output.Count, seen);
        foreach ((string wanted, string line) in command.Output.Zip(output))
        {
            bool same = wanted.StartsWith("~ ", StringComparison.Ordinal) ? Regex.IsMatch(line, $"^(?:{wanted[2..]})$") : line == wanted;
            Assert.True(same, $"wanted: {wanted}\n{seen}");
        }
        Assert.All(command.Errors, wanted => Assert.Matches(wanted, shell.Errors));
    }
}
