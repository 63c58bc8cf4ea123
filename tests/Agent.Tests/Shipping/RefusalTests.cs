using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Contract;
using LogPipeline.Files;
using LogPipeline.Protocol;

namespace LogPipeline.Agent.Tests.Shipping;

/// <summary>Batches that a broker will never take, and topics that come back as others.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData(ErrorCode.MessageTooLarge)]
    [InlineData(ErrorCode.RecordListTooLarge)]
    [InlineData(ErrorCode.InvalidRecord)]
    public void A_bad_record_goes_to_the_dead_letters_and_the_others_arrive_once(ErrorCode error) => AgentRig.OnOneThread(async rig =>
    {
        string bad = new('x', 900);
        rig.Append($"a\nb\nc\n{bad}\nd\ne\nf\n");
        rig.Broker.Refusal = error;
        rig.Broker.Fate = header => header.BatchLength > 900 ? ProduceFate.Refuse : ProduceFate.Take;
        rig.Options = rig.Options with { Compression = BatchCompression.None };
        await rig.StartAsync();
        await rig.UntilLinesAsync(6);
        rig.Append("g\n");
        await rig.UntilLinesAsync(7);
        Assert.Equal(["a", "b", "c", "d", "e", "f", "g"], rig.Lines());
        string letters = System.Text.Encoding.UTF8.GetString(AtomicFile.ReadAll(rig.Machine, "/state/dead-letters")!);
        Assert.Contains($"begin=6 end=907 part=0 length=900 error={error} file={AgentRig.LogPath}\n{bad}\n", letters, StringComparison.Ordinal);
        Assert.Equal(1, rig.Log.Count("goes to the dead letters"));
        rig.Kill();
        await rig.StartAsync();
        rig.Append("h\n");
        await rig.UntilLinesAsync(8);
        Assert.Equal(["a", "b", "c", "d", "e", "f", "g", "h"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_time_that_is_refused_is_left_out_and_flagged() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\nb\n");
        rig.Broker.Refusal = ErrorCode.InvalidTimestamp;
        rig.Broker.Fate = header => header.MaxTimestamp >= 0 ? ProduceFate.Refuse : ProduceFate.Take;
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        Assert.Equal(["a", "b"], rig.Lines());
        Assert.All(rig.Broker.Records(), r => Assert.True(r.Position.Flags.HasFlag(PositionFlags.TimestampClamped)));
        Assert.False(rig.Machine.FileExists("/state/dead-letters"));
        await rig.StopAsync();
    });

    [Fact]
    public void Of_a_batch_with_a_time_that_is_refused_the_other_lines_keep_theirs() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("2001-09-09T00:00:00Z old\nb\n");
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Timestamp = TimeForm.Iso8601 }] };
        long earliest = rig.Time.GetUtcNow().AddHours(-1).ToUnixTimeMilliseconds();
        rig.Broker.Refusal = ErrorCode.InvalidTimestamp;
        rig.Broker.Fate = header => header.BaseTimestamp >= 0 && header.BaseTimestamp < earliest ? ProduceFate.Refuse : ProduceFate.Take;
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        Assert.Equal(["2001-09-09T00:00:00Z old", "b"], rig.Lines());
        Assert.Equal([true, false], rig.Broker.Records().Select(static r => r.Position.Flags.HasFlag(PositionFlags.TimestampClamped)));
        Assert.All(rig.Broker.Log, batch => Assert.True(batch.Header.BaseTimestamp >= earliest));
        await rig.StopAsync();
    });

    [Fact]
    public void A_topic_that_is_back_with_fewer_partitions_takes_what_was_meant_for_those_it_has_not() => AgentRig.OnOneThread(async rig =>
    {
        rig.Broker.Partitions = 64;
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.StopAsync();
        Assert.True(rig.Broker.PartitionsUsed[^1] > 0);
        rig.Broker.LoseTail(rig.Broker.Batches);
        rig.Broker.TopicId = new Guid(9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9);
        rig.Broker.Partitions = 1;
        rig.Append("b\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        Assert.Equal(["b"], rig.Lines());
        Assert.Equal(0, rig.Broker.PartitionsUsed[^1]);
        Assert.Equal(1, rig.Log.Count("another cluster or topic than before"));
        await rig.StopAsync();
    });
}
