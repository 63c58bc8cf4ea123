using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>Every command that the README tells to type is typed here, in a directory laid out as the source tree is.</summary>
public sealed class ReadmeTests : IDisposable
{
    private static readonly string[] Text = File.ReadAllLines(Path.Combine(Programs.Root, "README.md"));

    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Commands_of_the_readme_work_while_the_demonstration_runs()
    {
        File.CreateSymbolicLink(_workspace.File("logpipe"), Programs.Logpipe);
        File.CreateSymbolicLink(_workspace.File("logpipe-agent"), Programs.Agent);
        Directory.CreateSymbolicLink(_workspace.File("deploy"), Path.Combine(Programs.Root, "deploy"));
        string broker = $"127.0.0.1:{Ports.Free()}";
        KeyValuePair<string, string>[] elsewhere =
        [
            KeyValuePair.Create("LOGPIPE__BROKER__LISTEN", broker), KeyValuePair.Create("LOGPIPE__AGENT__BOOTSTRAP", broker),
            KeyValuePair.Create("LOGPIPE__SINKS__0__BOOTSTRAP", broker), KeyValuePair.Create("LOGPIPE__ADMIN__LISTEN", $"127.0.0.1:{Ports.Free()}"),
            KeyValuePair.Create("LOGPIPE", Programs.Logpipe), // what the scripts of deploy/bin run
        ];
        await using var demo = RealProcess.Start(Programs.Logpipe, _workspace.Folder, ["up", "--demo"], elsewhere);
        await demo.LineAsync(line => line.StartsWith("ready: sink", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        await Deadline.UntilAsync(TimeSpan.FromSeconds(60), async () =>
        {
            await using var count = RealProcess.Start("/bin/bash", _workspace.Folder, ["-c", "./logpipe query --limit 50 --output jsonl | wc -l"], elsewhere);
            await count.ExitAsync(TimeSpan.FromSeconds(60));
            return count.Output is ["50"];
        }, () => demo.Errors);
        List<string> commands = Commands();
        Assert.True(commands.Count >= 12, string.Join('\n', commands));
        foreach (string command in commands)
        {
            await using var shell = RealProcess.Start("/bin/bash", _workspace.Folder, ["-c", command.Replace("127.0.0.1:9092", broker, StringComparison.Ordinal)], elsewhere);
            int status = await shell.ExitAsync(TimeSpan.FromSeconds(60));
            Assert.True(status == 0 && shell.Output.Count > 0, $"{command} gave {status}: {shell.Errors}");
        }
    }

    [Theory]
    [InlineData("./start")]
    [InlineData("./test")]
    public void The_two_commands_are_programs(string command)
    {
        Assert.Contains("    " + command, Text);
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(Path.Combine(Programs.Root, command)).HasFlag(UnixFileMode.UserExecute));
    }

    // Lines of the blocks marked sh; kcat may not be installed.
    private static List<string> Commands()
    {
        var commands = new List<string>();
        bool inside = false;
        foreach (string line in Text)
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                inside = line == "```sh";
            }
            else if (inside && (!line.StartsWith("kcat", StringComparison.Ordinal) || File.Exists("/usr/bin/kcat")))
            {
                commands.Add(line);
            }
        }
        return commands;
    }
}
