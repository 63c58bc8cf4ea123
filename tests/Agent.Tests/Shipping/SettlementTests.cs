using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Contract;
using LogPipeline.Protocol;

namespace LogPipeline.Agent.Tests.Shipping;

public sealed class SettlementTests
{
    [Fact]
    public void Lines_arrive_once_and_in_order() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("one\ntwo\r\n\nfour");
        await rig.StartAsync();
        await rig.UntilLinesAsync(3);
        Assert.Equal(["one", "two", ""], rig.Lines());
        Assert.Equal(PositionFlags.CarriageReturn, rig.Broker.Records()[1].Position.Flags);
        rig.Append("th\n");
        await rig.UntilLinesAsync(4);
        Assert.Equal("fourth", rig.Lines()[3]);
        await rig.StopAsync();
    });

    [Theory]
    [InlineData((int)ProduceFate.DropConnection)]
    [InlineData((int)ProduceFate.TakeThenDropConnection)]
    public void A_broken_connection_loses_and_repeats_nothing(int fate) => AgentRig.OnOneThread(async rig =>
    {
        int batches = 0;
        rig.Broker.Fate = _ => batches++ % 3 == 1 ? (ProduceFate)fate : ProduceFate.Take;
        await rig.StartAsync();
        List<string> expected = [];
        for (int i = 0; i < 30; i++)
        {
            rig.Append($"line {i}\n");
            expected.Add($"line {i}");
            await rig.PassAsync(TimeSpan.FromMilliseconds(3));
        }
        await rig.UntilLinesAsync(30);
        Assert.Equal(expected, rig.Lines());
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_killed_agent_settles_what_was_under_way(bool appended) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        bool hit = false;
        rig.Broker.Fate = _ =>
        {
            hit = true;
            return appended ? ProduceFate.TakeThenDropConnection : ProduceFate.DropConnection;
        };
        rig.Append("c\nd\n");
        await rig.UntilAsync(() => hit, "a batch was sent");
        rig.Kill();
        rig.Broker.Fate = _ => ProduceFate.Take;
        await rig.StartAsync();
        rig.Append("e\n");
        await rig.UntilLinesAsync(5);
        Assert.Equal(["a", "b", "c", "d", "e"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_batch_that_cannot_be_read_back_holds_its_log_up_and_ends_nothing() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Broker.Fate = _ => ProduceFate.TakeThenDropConnection;
        rig.Append("b\n");
        await rig.UntilAsync(() => rig.Lines().Count == 2, "b was appended");
        rig.Kill();
        rig.Broker.Fate = _ => ProduceFate.Take;
        rig.Broker.Unreadable = 1000;
        rig.Broker.ForgetProducers();
        await rig.StartAsync();
        rig.Append("c\n");
        await rig.PassAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(2, rig.Lines().Count);
        Assert.Equal(1, rig.Log.Count("the batch at offset 0 cannot be read back"));
        Assert.Equal(2, rig.Log.Count("is fenced"));
        Assert.Equal(3, rig.Broker.Batches); // the fence is one batch, however often it is sent
        rig.Broker.Unreadable = null;
        await rig.UntilLinesAsync(3);
        Assert.Equal(["a", "b", "c"], rig.Lines());
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_broker_that_forgot_the_producer_is_fenced_and_read(bool appended) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        bool hit = false;
        rig.Broker.Fate = _ =>
        {
            hit = true;
            return appended ? ProduceFate.TakeThenDropConnection : ProduceFate.DropConnection;
        };
        rig.Append("c\nd\n");
        await rig.UntilAsync(() => hit, "a batch was sent");
        rig.Kill();
        rig.Broker.Fate = _ => ProduceFate.Take;
        rig.Broker.ForgetProducers();
        await rig.StartAsync();
        await rig.UntilLinesAsync(4);
        Assert.Equal(["a", "b", "c", "d"], rig.Lines());
        Assert.True(rig.Broker.Fences > 0);
        await rig.StopAsync();
    });

    [Fact]
    public void Acked_records_that_a_broker_lost_are_sent_again() => AgentRig.OnOneThread(async rig =>
    {
        await rig.StartAsync();
        foreach (string line in new[] { "a\n", "b\n", "c\n" })
        {
            rig.Append(line);
            await rig.UntilAsync(() => rig.Agent.IsCaughtUp && rig.Lines().Count == line[0] - 'a' + 1, line);
        }
        rig.Broker.LoseTail(2);
        rig.Broker.Disconnect();
        rig.Append("d\n");
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp && rig.Lines().Count >= 4, "all four");
        Assert.Equal(["a", "b", "c", "d"], rig.Stored().Order());
        Assert.Contains(rig.Broker.Records(), r => r.Position.Flags.HasFlag(PositionFlags.Again));
        await rig.StopAsync();
    });

    /// <summary>The agent has seen the log's end, and sent nothing to it yet: so it misses nothing there, and has no producer to fence.</summary>
    [Fact]
    public void A_log_that_lost_all_before_the_agent_sent_anything_is_served() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.StopAsync();
        rig.Machine.List("/state").Where(static entry => !entry.IsDirectory).ToList().ForEach(entry => rig.Machine.Delete($"/state/{entry.Name}"));
        int asked = rig.Broker.Asked[ApiKey.ListOffsets];
        rig.Broker.Drops = key =>
        {
            bool isLost = key == ApiKey.ListOffsets && rig.Broker.Asked[key] == asked + 2;
            if (isLost)
            {
                rig.Broker.LoseTail(1);
            }
            return isLost;
        };
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().SequenceEqual(["a"]) && rig.Agent.IsCaughtUp, "the line is in the log again");
        Assert.Equal((1, 0), (rig.Broker.LeaderEpoch, rig.Broker.Fences));
        await rig.StopAsync();
    });

    [Fact]
    public void Unacked_records_that_a_broker_may_have_shown_and_lost_are_marked_again() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        bool hit = false;
        rig.Broker.Fate = _ =>
        {
            hit = true;
            return ProduceFate.TakeThenDropConnection;
        };
        rig.Append("b\n");
        await rig.UntilAsync(() => hit, "a batch was sent");
        // It was in the log and readers saw it, the agent has no answer: its producer looks as if it had never come.
        rig.Broker.LoseTail(1);
        rig.Broker.Fate = _ => ProduceFate.Take;
        await rig.UntilLinesAsync(2);
        Assert.Equal(["a", "b"], rig.Lines());
        Assert.True(rig.Broker.Records()[1].Position.Flags.HasFlag(PositionFlags.Again));
        await rig.StopAsync();
    });

    [Fact]
    public void A_log_that_lost_its_end_without_a_broken_connection_is_noticed_while_acked_records_are_kept() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        rig.Broker.LoseTail(1);
        await rig.UntilAsync(() => rig.Stored().Order().SequenceEqual(["a", "b"]), "what was lost is sent again");
        await rig.PassAsync(rig.Options.RetainedTime + TimeSpan.FromMinutes(1));
        int asked = rig.Broker.Asked.Values.Sum();
        await rig.PassAsync(TimeSpan.FromHours(1));
        Assert.Equal(asked, rig.Broker.Asked.Values.Sum());
        await rig.StopAsync();
    });

    [Fact]
    public void A_tail_that_is_lost_after_a_fence_is_sent_again() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Broker.Fate = _ => ProduceFate.TakeThenDropConnection;
        rig.Append("b\n");
        await rig.UntilAsync(() => rig.Lines().Count == 2, "b was appended");
        rig.Broker.ForgetProducers();
        rig.Broker.Fate = _ => ProduceFate.Take;
        await rig.UntilAsync(() => rig.Broker.Fences == 1 && rig.Agent.IsCaughtUp, "the fence");
        rig.Broker.LoseTail(rig.Broker.Batches);
        await rig.UntilAsync(() => rig.Stored().Order().SequenceEqual(["a", "b"]), "both are sent again");
        await rig.StopAsync();
    });

    [Fact]
    public void An_agent_killed_at_any_call_while_it_fences_sends_what_the_log_lost()
    {
        bool wasKilled = true;
        for (int call = 1; wasKilled; call++)
        {
            int left = call;
            AgentRig.OnOneThread(async rig =>
            {
                rig.Append("a\n");
                await rig.StartAsync();
                await rig.UntilLinesAsync(1);
                rig.Append("b\n");
                await rig.UntilLinesAsync(2);
                rig.Broker.LoseTail(1);
                rig.Broker.Disconnect();
                rig.BeforeFileCall = call =>
                {
                    if (call.Path.StartsWith("/state", StringComparison.Ordinal) && --left == 0)
                    {
                        rig.Kill();
                    }
                };
                await rig.UntilAsync(() => left <= 0 || rig.Stored().Count == 2, "what was lost is sent again, or the agent is killed");
                wasKilled = left <= 0;
                rig.BeforeFileCall = null;
                if (wasKilled)
                {
                    await rig.StartAsync();
                }
                await rig.UntilAsync(() => rig.Stored().Count == 2, "what was lost is sent again");
                await rig.UntilAsync(() => rig.Agent.IsCaughtUp, "all is acked");
                Assert.Equal(["a", "b"], rig.Stored());
                await rig.StopAsync();
            });
        }
    }

    /// <summary>What the log had is not seen any more, so what is sent instead says that it may be there: a sink that has stored it leaves it out.</summary>
    [Fact]
    public void What_retention_takes_while_the_log_is_to_be_read_back_is_sent_marked_again() => AgentRig.OnOneThread(async rig =>
    {
        rig.Broker.HidesProducers = true;
        await rig.StartAsync();
        rig.Append("line 0\n");
        await rig.UntilLinesAsync(1);
        int asked = 0;
        rig.Broker.Began = () =>
        {
            if (++asked == 1)
            {
                rig.Broker.DropAll();
            }
        };
        bool isTaken = false;
        rig.Broker.Fate = _ =>
        {
            (bool isFirst, isTaken) = (!isTaken, true);
            return isFirst ? ProduceFate.TakeThenDropConnection : ProduceFate.Take;
        };
        rig.Append("line 1\n");
        await rig.UntilLinesAsync(3);
        Assert.Equal(["line 0", "line 1", "line 1"], rig.Lines());
        Assert.Equal(1, rig.Broker.Fences);
        Assert.Equal([false, false, true], rig.Broker.Records().Select(static record => (record.Position.Flags & PositionFlags.Again) != 0));
        await rig.StopAsync();
    });

    [Fact]
    public void The_first_batch_to_a_leader_that_may_not_know_the_producer_goes_alone() => AgentRig.OnOneThread(async rig =>
    {
        rig.Broker.HidesProducers = true;
        await rig.StartAsync();
        for (int i = 0; i < 2; i++)
        {
            rig.Append($"line {i}\n");
            await rig.UntilLinesAsync(i + 1);
        }
        // As Apache Kafka it takes any first sequence now: a second batch would be taken though the first was refused.
        rig.Broker.ForgetProducers();
        rig.Broker.Disconnect();
        int connections = rig.Broker.Asked[ApiKey.ApiVersions];
        await rig.UntilAsync(() => rig.Broker.Asked[ApiKey.ApiVersions] > connections, "a quiet log notices it");
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        int batches = 0;
        rig.Broker.Fate = _ => batches++ == 0 ? ProduceFate.Refuse : ProduceFate.Take;
        List<string> expected = ["line 0", "line 1", .. Enumerable.Range(0, 12).Select(static i => $"{i:D900}")];
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Broker.Held = held.Task;
        rig.Append(string.Concat(expected.Skip(2).Select(static line => line + "\n")));
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        rig.Broker.Held = null;
        held.SetResult();
        await rig.UntilLinesAsync(expected.Count);
        Assert.Equal(expected, rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_record_refused_for_good_goes_to_the_dead_letters_alone() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append($"a\n{new string('x', 900)}\nb\nc\n");
        rig.Broker.Fate = header => header.BatchLength > 900 ? ProduceFate.Refuse : ProduceFate.Take;
        rig.Options = rig.Options with { Compression = BatchCompression.None };
        await rig.StartAsync();
        await rig.UntilLinesAsync(3);
        Assert.Equal(["a", "b", "c"], rig.Lines());
        Assert.True(rig.Machine.FileExists("/state/dead-letters"));
        await rig.StopAsync();
    });

    [Fact]
    public void Another_topic_id_gets_what_is_not_acked_marked_again() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        bool hit = false;
        rig.Broker.Fate = _ =>
        {
            hit = true;
            return ProduceFate.DropConnection;
        };
        rig.Append("b\n");
        await rig.UntilAsync(() => hit, "a batch was sent");
        rig.Broker.TopicId = new Guid(9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9);
        rig.Broker.LoseTail(rig.Broker.Batches);
        rig.Broker.Fate = _ => ProduceFate.Take;
        await rig.UntilLinesAsync(1);
        Assert.Equal(["b"], rig.Lines());
        Assert.True(rig.Broker.Records()[0].Position.Flags.HasFlag(PositionFlags.Again));
        await rig.StopAsync();
    });
}
