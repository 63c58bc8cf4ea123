using System.Text;
using LogPipeline.Agent.Sources;
using LogPipeline.Agent.Tests.Scripted;

namespace LogPipeline.Agent.Tests.Sources;

/// <summary>However a stream ends, what was read of it is taken.</summary>
public sealed class StreamFeedTests
{
    [Fact]
    public void Messages_before_one_that_is_refused_are_taken_and_the_refusal_is_counted() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        long refused = 0;
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            using var stream = new MemoryStream("5 first7 second\n9999999 <1>"u8.ToArray());
            await Assert.ThrowsAsync<InvalidDataException>(() => StreamFeed.RunAsync(stream, new SyslogFraming(), spool, stopped));
            refused = spool.Dropped;
            await spool.DurableAsync();
        });
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        Assert.Equal(["first", "second"], rig.Lines());
        Assert.Equal(1, refused);
        await rig.StopAsync();
    });

    [Fact]
    public void What_a_connection_gave_before_it_broke_waits_for_no_other_line() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            using var stream = new BreakingStream("5 first6 seco"u8.ToArray());
            await Assert.ThrowsAsync<IOException>(() => StreamFeed.RunAsync(stream, new SyslogFraming(), spool, stopped));
            await Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped);
        });
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        Assert.Equal(["first", "6 seco"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_clean_stop_takes_what_was_read_and_found_no_room() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        rig.Options = rig.Options with { SpoolBytesMax = 1000 };
        rig.Broker.IsDown = true;
        string full = new('x', 2000);
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            await spool.AppendAsync(Encoding.ASCII.GetBytes($"{full}\n"), stopped);
            using var stream = new MemoryStream("one\ntwo\nhalf a li"u8.ToArray());
            await StreamFeed.RunAsync(stream, new LineCutter(1 << 20), spool, stopped);
        });
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await rig.StopAsync();
        rig.Broker.IsDown = false;
        rig.MakeSource = _ => new ScriptedSource((_, stopped) => Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped));
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Contains("half a li"), "what was read is sent");
        Assert.Equal(["one", "two", "half a li"], rig.Lines().TakeLast(3));
        await rig.StopAsync();
    });

    [Fact]
    public void The_journal_goes_on_behind_the_last_entry_that_a_crash_left_whole() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [new InputOptions { Source = new JournalSourceOptions(), Topic = "t", MaxLineBytes = 1024 }] };
        string whole = "{\"__CURSOR\":\"s=1;i=1\",\"MESSAGE\":\"one\"}";
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            await spool.AppendAsync(Encoding.ASCII.GetBytes($"{whole}\n"), stopped);
            await Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped);
        });
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Kill();
        // A sector of the write that was under way is missing, and its end too.
        rig.Append($"{{\"__CURSOR\":\"s=1;i=2\",\"MESSAGE\":\"{new string('\0', 40)}\"}}\n{{\"__CURSOR\":\"s=1;i=3\",\"MESSAGE\":\"three\"}}\n{{\"__CURSOR\":\"s=1;i", "/state/spool/journal-t/00000001.log");
        string? cursor = null;
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            cursor = JournalExport.CursorOf(spool.LastLine());
            await Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped);
        });
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal("s=1;i=1", cursor);
        Assert.Equal([whole], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_message_that_begins_like_a_byte_order_mark_does_not_turn_what_follows_into_UTF_16() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            await spool.AppendAsync((byte[])[0xff, 0xfe, .. "first\nsecond\n"u8], stopped);
            await Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped);
        });
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        Assert.Equal("second", rig.Lines()[1]);
        await rig.StopAsync();
    });

    private static void Use(AgentRig rig) =>
        rig.Options = rig.Options with { Inputs = [new InputOptions { Source = new StdinSourceOptions(), Topic = "t", MaxLineBytes = 1024 }] };

    private sealed class BreakingStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => Position < Length
            ? base.ReadAsync(buffer, cancellationToken)
            : ValueTask.FromException<int>(new IOException("connection reset by peer"));
    }
}
