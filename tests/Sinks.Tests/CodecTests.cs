using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Sinks.Tests;

public sealed class CodecTests
{
    [Theory]
    [InlineData(CompressionCodec.Gzip)]
    [InlineData(CompressionCodec.Snappy)]
    [InlineData(CompressionCodec.Lz4)]
    [InlineData(CompressionCodec.Zstd)]
    public async Task A_sink_reads_batches_of_every_codec(CompressionCodec codec)
    {
        await using SinkScene scene = await SinkScene.StartAsync(codec: codec);
        SinkOptions options = scene.Sqlite();
        await scene.SendAsync(0, Enumerable.Range(0, 100).Select(static n => $"""1.2.3.4 - - [21/Nov/2026:00:00:00 +0000] "GET /p?n={n} HTTP/1.1" 200 {n} "-" "agent" """.Trim()));
        scene.ChangeBatch(0, batch =>
        {
            Assert.True(BatchHeader.TryParse(batch, out BatchHeader header));
            Assert.Equal(codec, header.Codec);
        });
        await SinkScene.RunAsync(options, 100);
        Assert.Equal(4950L, await SinkScene.ScalarAsync(options, "SELECT sum(body_bytes_sent) FROM web_log"));
        Assert.Empty((await SinkScene.VerifyAsync(options)).Findings);
    }
}
