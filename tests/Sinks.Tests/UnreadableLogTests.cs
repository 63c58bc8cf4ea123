using LogPipeline.Protocol.Records;
using LogPipeline.Testing.Logging;

namespace LogPipeline.Sinks.Tests;

/// <summary>A log with a batch that a sink cannot read.</summary>
public sealed class UnreadableLogTests
{
    private static IEnumerable<string> Lines(int from, int count) => Enumerable.Range(from, count).Select(n => $"line {n:D4}");

    [Theory]
    [InlineData(false, "fail their CRC")]
    [InlineData(true, "codec 7 is unknown")]
    public async Task What_precedes_a_batch_that_cannot_be_read_is_stored_and_only_its_partition_waits(bool isOtherCodec, string reason)
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        await scene.SendAsync(0, Lines(0, 1));
        await scene.SendAsync(0, Lines(1, 1));
        await scene.SendAsync(0, Lines(2, 1));
        await scene.SendAsync(1, Lines(10, 5));
        byte[] sound = [];
        scene.ChangeBatch(1, batch =>
        {
            sound = [.. batch];
            if (isOtherCodec)
            {
                batch[22] = 7; // attributes: a codec that is not there
                RecordBatch.Seal(batch);
            }
            else
            {
                batch[^1] ^= 1;
            }
        });
        var log = new WarningLog();
        await SinkScene.RunAsync(options, 13, logger: log, meanwhile: async () =>
        {
            await UntilAsync(() => log.Count("sink web_log: web_log-0: the batch at offset 1 ") == 1);
            await scene.SendAsync(1, Lines(15, 5));
            await UntilAsync(async () => await SinkScene.CountAsync(options) == 11);
            Assert.Equal(1L, await SinkScene.ScalarAsync(options, "SELECT next_offset FROM logpipe_logs WHERE partition = 0"));
            Assert.Equal(1, log.Count(reason));
            scene.ChangeBatch(1, batch => sound.CopyTo(batch, 0));
            await UntilAsync(async () => await SinkScene.CountAsync(options) == 13);
        });
        Assert.Equal(1, log.Count("Its partition waits"));
        Assert.True((await SinkScene.VerifyAsync(options)).Passed);
    }

    [Fact]
    public async Task Bit_that_flipped_while_the_broker_was_stopped_holds_up_its_partition_and_no_other()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        for (int n = 0; n < 3; n++)
        {
            await scene.SendAsync(0, Lines(n, 1));
        }
        await scene.SendAsync(1, Lines(10, 5));
        await scene.RestartBrokerAsync(_ => scene.ChangeBatch(1, static batch => batch[^1] ^= 1));
        var log = new WarningLog();
        SinkWorker? worker = null;
        await SinkScene.RunAsync(options, 11, logger: log, starting: started => worker = started, meanwhile: async () =>
        {
            const string Reason = "web_log-0: the batch at offset 1 cannot be read: the broker finds it damaged on its disk";
            await UntilAsync(() => log.Count($"sink web_log: {Reason}") == 1);
            await UntilAsync(() => worker!.Problem == Reason);
            await scene.SendAsync(1, Lines(15, 5));
        });
        Assert.Equal(1, log.Count("Its partition waits"));
        Assert.Equal(1L, await SinkScene.ScalarAsync(options, "SELECT next_offset FROM logpipe_logs WHERE partition = 0"));
    }

    private static Task UntilAsync(Func<bool> holds) => UntilAsync(() => Task.FromResult(holds()));

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await holds())
        {
            await Task.Delay(50, late.Token);
        }
    }
}
