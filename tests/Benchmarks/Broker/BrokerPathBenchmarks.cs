using System.Net;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using LogPipeline.Broker;
using LogPipeline.Broker.Network;
using LogPipeline.Files;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Benchmarks.Broker;

/// <summary>
/// What a request costs in the broker, from its bytes to the answer's, on a real disk and without sockets. The Allocated column
/// is per request and must be the same for one record as for a thousand.
/// </summary>
[MemoryDiagnoser]
[Config(typeof(FewInProcess))]
public class BrokerPathBenchmarks
{
    private const int Requests = 50;
    private const string Topic = "web_log";

    private string _directory = "";
    private BrokerCore _core = null!;
    private byte[] _produce = [];
    private byte[] _fetch = [];

    /// <summary>Records of 200 bytes in the request's or the answer's batch.</summary>
    [Params(1, 1000)]
    public int Records { get; set; }

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _directory = Directory.CreateTempSubdirectory("logpipe-bench-").FullName;
        _core = BrokerCore.Open(new BrokerOptions { DataDirectory = _directory }, new OsFileSystem(), TimeProvider.System, new Random(1));
        _core.Topics.Create(Topic, 1, new Dictionary<string, string>());
        var produce = new ProduceRequest
        {
            Acks = -1,
            TopicData = [new() { Name = Topic, PartitionData = [new() { Records = new RecordSet(Batch()) }] }],
        };
        var fetch = new FetchRequest { MinBytes = 1, Topics = [new() { Name = Topic, Partitions = [new() { PartitionMaxBytes = 1 }] }] };
        _produce = Frame<ProduceRequest, ProduceResponse>(produce, 9);
        _fetch = Frame<FetchRequest, FetchResponse>(fetch, 11);
        await ServeAsync(_produce); // something to fetch
    }

    [Benchmark(OperationsPerInvoke = Requests)]
    public Task Produce() => ServeAsync(_produce);

    [Benchmark(OperationsPerInvoke = Requests)]
    public Task Fetch() => ServeAsync(_fetch);

    [GlobalCleanup]
    public async Task CleanupAsync()
    {
        await _core.CloseAsync();
        _core.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private Task ServeAsync(byte[] request) =>
        new ConnectionLoop(_core, _core.Listeners[0], new Repeated(request, Requests), TimeProvider.System).RunAsync(CancellationToken.None);

    private byte[] Batch()
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 8 << 20);
        for (int i = 0; i < Records; i++)
        {
            builder.TryAppend(1_767_225_600_000, new byte[200]);
        }
        return builder.Build().ToArray();
    }

    private static byte[] Frame<TRequest, TResponse>(TRequest request, short version)
        where TRequest : class, IRequest<TResponse>
        where TResponse : class, IWireStruct, new()
    {
        using FrameBuffer frame = Frames.Request<TRequest, TResponse>(request, version, 1, "bench");
        byte[] bytes = new byte[frame.TotalLength];
        frame.CopyTo(bytes);
        return bytes;
    }

    // In this process, and few iterations: the log it writes is on a real disk and must not grow without bound.
    private sealed class FewInProcess : ManualConfig
    {
        public FewInProcess() => AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance)
            .WithWarmupCount(2).WithIterationCount(5).WithInvocationCount(20).WithUnrollFactor(1));
    }

    /// <summary>A client that sends one request so many times and closes; what it is answered it drops.</summary>
    private sealed class Repeated(byte[] request, int times) : IConnectionTransport
    {
        private int _position;

        public EndPoint? LocalEndPoint => null;

        public EndPoint? RemoteEndPoint => null;

        public CancellationToken Gone => CancellationToken.None;

        public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
        {
            if (times == 0)
            {
                return new(0);
            }
            int count = Math.Min(buffer.Length, request.Length - _position);
            request.AsSpan(_position, count).CopyTo(buffer.Span);
            _position += count;
            if (_position == request.Length)
            {
                (_position, times) = (0, times - 1);
            }
            return new(count);
        }

        public ValueTask SendAsync(FrameBuffer frame, CancellationToken cancellation) => default;

        public void Abort()
        {
        }

        public ValueTask DisposeAsync() => default;
    }
}
