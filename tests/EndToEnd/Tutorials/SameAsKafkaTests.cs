using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Tutorials;

/// <summary>Our commands and Apache Kafka's own ask the same broker, and print the same.</summary>
public sealed class SameAsKafkaTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

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

    [RequiresKafkaFact]
    public async Task Commands_print_what_Kafkas_own_print()
    {
        await OursAsync("topics --create --topic t --partitions 2 --config retention.ms=3600000");
        await OursAsync("console-producer --topic t --property parse.key=true --property key.separator=:", "printf 'k1:a\\nk2:b\\nk1:c\\n'");
        await OursAsync("console-consumer --topic t --group g --from-beginning --max-messages 3");
        string[] commands =
        [
            "topics --list --exclude-internal",
            "topics --describe --topic t",
            "console-consumer --topic t --from-beginning --max-messages 3 --formatter-property print.key=true --formatter-property print.timestamp=true "
                + "--formatter-property print.partition=true --formatter-property print.offset=true --formatter-property print.headers=true",
            "consumer-groups --describe --group g",
            "consumer-groups --describe --group g --state",
            "consumer-groups --reset-offsets --group g --topic t --to-earliest --dry-run",
            "get-offsets --topic t",
            "configs --describe --entity-type topics --entity-name t",
        ];
        foreach (string command in commands)
        {
            string[] ours = await OursAsync(command);
            string[] kafkas = await RunAsync($"'{Programs.KafkaScript}' 4.2 {command} --bootstrap-server {_bootstrap}");
            Assert.NotEmpty(ours);
            Assert.Equal(kafkas, ours);
        }
    }

    private Task<string[]> OursAsync(string command, string? input = null) =>
        RunAsync($"{(input is null ? "" : input + " | ")}bin/kafka-{command} --bootstrap-server {_bootstrap}");

    // Lines in order of their text: partitions come in any. White space at the end is the width of a column.
    private async Task<string[]> RunAsync(string command)
    {
        await using var shell = RealProcess.Start("/bin/bash", _workspace.Folder, ["-c", command], [KeyValuePair.Create("LOGPIPE", Programs.Logpipe)]);
        int status = await shell.ExitAsync(Patience);
        Assert.True(status == 0, $"{command} gave {status}: {string.Join('\n', shell.Output)}{shell.Errors}");
        return [.. shell.Output.Select(static line => line.TrimEnd()).Where(static line => line.Length > 0).Order(StringComparer.Ordinal)];
    }
}
