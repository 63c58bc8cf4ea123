// Picks benchmarks by name: `--filter '*Protocol*'`; without arguments it lists them.
BenchmarkDotNet.Running.BenchmarkSwitcher.FromAssembly(typeof(LogPipeline.Benchmarks.ProtocolBenchmarks).Assembly).Run(args);
