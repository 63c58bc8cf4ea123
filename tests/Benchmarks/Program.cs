// Runs a benchmark by name: `storage`, `journal`, `conversion`, `broker [ROUNDS [LINE]]`, `sink`, `agent [LINES]`, `pipeline [LINES [PARSER]]`, `latency [SECONDS]`, or BenchmarkDotNet's by
// `--filter '*Protocol*'`; without arguments it lists those.
using System.Globalization;
using LogPipeline.Benchmarks;
using LogPipeline.Benchmarks.Broker;
using LogPipeline.Benchmarks.Whole;

switch (args)
{
    case ["storage"]:
        await StorageFlush.RunAsync(Path.Combine(Environment.CurrentDirectory, "artifacts", "bench"), Console.Out);
        break;
    case ["journal"]:
        JournalSync.Run(Path.Combine(Environment.CurrentDirectory, "artifacts", "bench"), Console.Out);
        break;
    case ["conversion"]:
        ConversionSpeed.Run(Console.Out);
        break;
    case ["broker", .. string[] rest]:
        int rounds = rest is [string given, ..] ? int.Parse(given, CultureInfo.InvariantCulture) : 3;
        await BrokerLoad.RunAsync(rounds, rest is [_, string only] ? only : null, Console.Out);
        break;
    case ["sink"]:
        await SinkFlush.RunAsync(Console.Out);
        break;
    case ["agent", .. var rest]:
        await AgentBacklog.RunAsync(rest is [var backlog] ? int.Parse(backlog, CultureInfo.InvariantCulture) : 1_000_000, Console.Out);
        break;
    case ["pipeline", .. var rest]:
        await Backlog.RunAsync(rest is [var lines, ..] ? int.Parse(lines, CultureInfo.InvariantCulture) : 1_000_000, rest is [_, var parser] ? parser : "combined", Console.Out);
        break;
    case ["latency", .. var rest]:
        await WriteToRow.RunAsync(rest is [var seconds] ? int.Parse(seconds, CultureInfo.InvariantCulture) : 20, Console.Out);
        break;
    default:
        BenchmarkDotNet.Running.BenchmarkSwitcher.FromAssembly(typeof(ProtocolBenchmarks).Assembly).Run(args);
        break;
}
