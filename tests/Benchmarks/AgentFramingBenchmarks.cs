using System.Diagnostics.CodeAnalysis;
using BenchmarkDotNet.Attributes;
using LogPipeline.Agent;
using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Tailing;
using LogPipeline.Benchmarks.Whole;
using LogPipeline.Files;
using LogPipeline.Protocol.Compression;

namespace LogPipeline.Benchmarks;

/// <summary>
/// The agent's way from a file to encoded batches, with the agent's own reader and batch: read, cut into lines, append with
/// headers, and with lz4 compress. Figures are per line; Allocated must be a few bytes at most, what a batch costs spread over
/// its lines.
/// </summary>
[InProcess]
[MemoryDiagnoser]
[SuppressMessage("Design", "CA1001", Justification = "Released by the cleanup that the runner calls.")]
public class AgentFramingBenchmarks
{
    private const int Lines = 20_000;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"agent-framing-{Environment.ProcessId}.log");
    private Target _target = null!;
    private FileReader _reader = null!;
    private TailedFile _file = null!;
    private IFile _handle = null!;
    private AgentMetrics _metrics = null!;

    /// <summary>How batches are compressed.</summary>
    [Params(CompressionCodec.None, CompressionCodec.Lz4)]
    public CompressionCodec Codec { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        File.Delete(_path);
        WebLog.Write(_path, 0, Lines);
        var input = new InputOptions { Paths = [_path], Topic = "web_log" };
        var options = new AgentOptions { Inputs = [input] };
        _metrics = new AgentMetrics(static () => [], static () => 0, static () => 0, static () => 0, static () => 0);
        _reader = new FileReader(options, TimeProvider.System, _metrics, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        _target = new Target(new BatchBuilders(Codec, options.BatchBytes));
        _handle = new OsFileSystem().Open(_path, FileOpenMode.Read);
        var generation = new Generation { Id = 1, Topic = input.Topic, FirstPath = _path, Path = _path };
        _file = new TailedFile(generation, input, new LineHeaders("web-01", _path, Guid.NewGuid(), generation.Id), []);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _handle.Dispose();
        _metrics.Dispose();
        File.Delete(_path);
    }

    [Benchmark(OperationsPerInvoke = Lines, Description = "file to encoded batches, per line")]
    public long FileToBatches()
    {
        (_file.Generation.Read, _file.Generation.ReadTail, _file.ScannedUntil) = (default, default, 0);
        while (_reader.Read(_file, _handle, _target) == ReadOutcome.More)
        {
        }
        _target.CloseBatch();
        return _target.Bytes;
    }

    /// <summary>Seals batches as a log's shipper does and gives their memory back at once, as an ack does.</summary>
    private sealed class Target(BatchBuilders builders) : ILineTarget
    {
        public bool CanAccept => true;

        public OpenBatch Open { get; } = new(builders);

        public long Bytes { get; private set; }

        public void CloseBatch()
        {
            PooledBatch batch = Open.Seal(1, 0, 0, out _, out _)!;
            Bytes += batch.Memory.Length;
            batch.GiveBack();
        }
    }
}
