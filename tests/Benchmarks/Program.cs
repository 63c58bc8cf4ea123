// Picks benchmarks by name: `storage`, or `--filter '*Protocol*'`; without arguments it lists those of BenchmarkDotNet.
using LogPipeline.Benchmarks;

if (args is ["storage"])
{
    await StorageFlush.RunAsync(Path.Combine(Environment.CurrentDirectory, "artifacts", "bench"), Console.Out);
    return;
}
BenchmarkDotNet.Running.BenchmarkSwitcher.FromAssembly(typeof(ProtocolBenchmarks).Assembly).Run(args);
