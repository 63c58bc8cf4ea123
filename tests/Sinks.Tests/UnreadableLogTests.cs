using LogPipeline.Protocol.Records;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Tests;

/// <summary>A log that a sink cannot read on.</summary>
public sealed class UnreadableLogTests
{
    private static IEnumerable<string> Lines(int from, int count) => Enumerable.Range(from, count).Select(n => $"line {n:D4}");

    [Theory]
    [InlineData(false, "checksum")]
    [InlineData(true, "zstd is not supported")]
    public async Task What_precedes_a_batch_that_cannot_be_read_is_stored_and_the_sink_says_where_it_stopped(bool isOtherCodec, string reason)
    {
        await using var scene = await SinkScene.StartAsync();
        var options = scene.Sqlite() with { Parser = "none" };
        await scene.SendAsync(0, Lines(0, 1));
        await scene.SendAsync(0, Lines(1, 1));
        await scene.SendAsync(0, Lines(2, 1));
        scene.ChangeBatch(1, batch =>
        {
            if (isOtherCodec)
            {
                batch[22] = (byte)CompressionCodec.Zstd;
                RecordBatch.Seal(batch);
            }
            else
            {
                batch[^1] ^= 1;
            }
        });
        var error = await Assert.ThrowsAsync<LogUnreadableException>(() => SinkScene.RunAsync(options, 3));
        Assert.Contains("web_log-0: the batch at offset 1 ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Equal(1L, await SinkScene.CountAsync(options));
        Assert.Equal(1L, await SinkScene.ScalarAsync(options, "SELECT next_offset FROM logpipe_logs WHERE partition = 0"));

        await SinkScene.ScalarAsync(options, "UPDATE logpipe_logs SET next_offset = 2 WHERE partition = 0");
        Assert.Equal(error.Message, (await Assert.ThrowsAsync<LogUnreadableException>(() => SinkScene.VerifyAsync(options))).Message);
    }
}
