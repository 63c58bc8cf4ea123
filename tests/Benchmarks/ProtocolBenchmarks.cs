using BenchmarkDotNet.Attributes;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Benchmarks;

/// <summary>
/// What a line costs in the codec: batches of 5,000 access-log lines of about 200 bytes with three headers, as the agent builds
/// them and the sinks walk them. Times are per batch; the Allocated column must show no bytes per record.
/// </summary>
[MemoryDiagnoser]
[ShortRunJob]
public class ProtocolBenchmarks : IDisposable
{
    private const int Records = 5000;
    private readonly byte[][] _lines = new byte[Records][];
    private readonly byte[] _headers = new byte[128];
    private readonly byte[] _megabyte = new byte[1 << 20];
    private readonly BatchDecoder _decoder = new();
    private int _headersLength;
    private byte[] _batch = [];
    private BatchHeader _header;
    private RecordBatchBuilder _builder = null!;

    /// <summary>How the batch is compressed.</summary>
    [Params(CompressionCodec.None, CompressionCodec.Lz4)]
    public CompressionCodec Codec { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        random.NextBytes(_megabyte);
        for (int i = 0; i < Records; i++)
        {
            _lines[i] = System.Text.Encoding.UTF8.GetBytes(
                $"10.{random.Next(256)}.{random.Next(256)}.{random.Next(256)} - - [10/Oct/2025:13:55:{i % 60:00} +0000] \"GET /item/{random.Next(100000)}?q=lamp HTTP/1.1\" "
                + $"200 {random.Next(90000)} \"https://example.org/\" \"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0\"");
        }
        _headersLength = RecordHeaders.Write(_headers, "host"u8, "web-01"u8);
        _headersLength += RecordHeaders.Write(_headers.AsSpan(_headersLength), "file"u8, "/var/log/nginx/access.log"u8);
        _headersLength += RecordHeaders.Write(_headers.AsSpan(_headersLength), "pos"u8, _megabyte.AsSpan(0, 58));
        _builder = new RecordBatchBuilder(Codec, 8 << 20);
        _batch = Build().ToArray();
        if (!BatchHeader.TryParse(_batch, out _header))
        {
            throw new InvalidOperationException("the batch just built has no header");
        }
    }

    [Benchmark(OperationsPerInvoke = Records)]
    public int AppendRecord() => Build().Length;

    [Benchmark(OperationsPerInvoke = Records)]
    public long ReadRecord()
    {
        var reader = new RecordReader(_decoder.Records(_batch, _header), _header);
        long sum = 0;
        while (reader.Read())
        {
            reader.TryGetHeader("pos"u8, out ReadOnlySpan<byte> position);
            sum += reader.Value.Length + position.Length;
        }
        return sum;
    }

    [Benchmark]
    public uint CrcOfOneMebibyte() => Crc32C.Compute(_megabyte);

    [GlobalCleanup]
    public void Dispose()
    {
        _builder.Dispose();
        _decoder.Dispose();
        GC.SuppressFinalize(this);
    }

    private Memory<byte> Build()
    {
        _builder.Reset();
        foreach (byte[] line in _lines)
        {
            _builder.TryAppend(1_700_000_000_000, line, 3, _headers.AsSpan(0, _headersLength));
        }
        return _builder.Build(1, 0, 0);
    }
}
