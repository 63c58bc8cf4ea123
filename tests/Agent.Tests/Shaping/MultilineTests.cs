using System.Text;
using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Contract;

namespace LogPipeline.Agent.Tests.Shaping;

/// <summary>Lines that belong together, as the file grows, is cut, rotated and read again.</summary>
public sealed class MultilineTests
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromMilliseconds(50);

    [Fact]
    public void Groups_written_in_two_pieces_cut_anywhere_are_the_same()
    {
        string[] groups = ["2026 one", "2026 two\r\n\r\n  more\n\nx", "2026 three", "2026 é\n\t- 中"];
        byte[] bytes = Encoding.UTF8.GetBytes("before\n" + string.Concat(groups.Select(g => g + "\n")) + "2026 open\n");
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            AgentRig.OnOneThread(async rig =>
            {
                rig.Options = With(rig.Options, new MultilineOptions { Start = new LinePattern("^20[0-9]{2} "), Timeout = s_timeout });
                rig.Append(bytes[..cut]);
                await rig.StartAsync();
                await rig.PassAsync(TimeSpan.FromMilliseconds(5));
                if (cut % 3 == 0)
                {
                    rig.Kill();
                    await rig.StartAsync();
                }
                rig.Append(bytes[cut..]);
                await rig.UntilLinesAsync(5);
                await rig.PassAsync(TimeSpan.FromMilliseconds(20));
                Assert.Equal(["before", .. groups], rig.Lines());
                await rig.UntilLinesAsync(6); // after the time-out
                Assert.Equal("2026 open", rig.Lines()[^1]);
                Assert.All(rig.Broker.Records(), r => Assert.False(r.Position.Flags.HasFlag(PositionFlags.Shaped)));
                EncodingTests.CheckRanges(rig, bytes);
                await rig.StopAsync();
            });
        }
    }

    [Fact]
    public void The_time_runs_from_the_last_byte() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = With(rig.Options, new MultilineOptions { Continue = new LinePattern("^ "), Timeout = s_timeout });
        rig.Append("a\n");
        await rig.StartAsync();
        for (int i = 0; i < 10; i++)
        {
            await rig.PassAsync(s_timeout * 0.7);
            Assert.Empty(rig.Lines());
            rig.Append(" b\n");
        }
        await rig.UntilLinesAsync(1);
        Assert.Equal("a" + string.Concat(Enumerable.Repeat("\n b", 10)), rig.Lines()[0]);
        rig.Append(" late\n");
        await rig.UntilLinesAsync(2);
        await rig.StopAsync();
    });

    [Fact]
    public void A_group_that_is_open_at_a_rotation_is_carried_until_the_file_is_over() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = With(rig.Options, new MultilineOptions { Continue = new LinePattern("^ "), Timeout = TimeSpan.FromHours(1) });
        rig.Append("a\n b\n");
        await rig.StartAsync();
        rig.Machine.Rename(AgentRig.LogPath, "/logs/old");
        await rig.PassAsync(TimeSpan.FromMilliseconds(10));
        rig.Append(" c\n", "/logs/old");
        rig.Append("new\nnext\n");
        await rig.UntilLinesAsync(2);
        Assert.Equal(["a\n b\n c", "new"], rig.Lines().Order());
        await rig.StopAsync();
    });

    [Fact]
    public void A_group_longer_than_a_record_becomes_parts_that_joined_are_the_file() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = With(rig.Options, new MultilineOptions { Continue = new LinePattern("^ "), Timeout = s_timeout, MaxLines = 100_000 });
        string text = "head\n" + string.Concat(Enumerable.Range(0, 30_000).Select(i => $" line {i} {new string('x', i % 700)}{(i % 5 == 0 ? "\r" : "")}\n")) + "next\n";
        rig.Append(text);
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines() is [.., "next"], "the line behind it");
        List<(RecordPosition Position, byte[] Value)> records = rig.Broker.Records();
        Assert.Equal(text[..^"\nnext\n".Length], string.Concat(rig.Lines()[..^1]));
        Assert.All(records[..^1], r => Assert.True(r.Position.LineBegin == 0 && r.Value.Length <= 1024));
        Assert.Equal(Enumerable.Range(1, records.Count - 1), records[..^1].Select(r => r.Position.Part));
        EncodingTests.CheckRanges(rig, Encoding.UTF8.GetBytes(text));
        await rig.StopAsync();
    });

    [Fact]
    public void A_group_of_too_many_lines_ends() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = With(rig.Options, new MultilineOptions { Continue = new LinePattern("^ "), Timeout = s_timeout, MaxLines = 2 });
        rig.Append("a\n b\n c\n d\n e\nf\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(4);
        Assert.Equal(["a\n b", " c\n d", " e", "f"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void Lines_of_a_container_in_another_encoding_are_joined_too() => AgentRig.OnOneThread(async rig =>
    {
        InputOptions input = rig.Options.Inputs[0] with
        {
            Format = LineFormat.Cri,
            Multiline = new MultilineOptions { Preset = TraceKinds.All, Timeout = s_timeout },
        };
        rig.Options = rig.Options with { Inputs = [input] };
        const string Time = "2026-11-26T08:00:00Z";
        string text = $"\uFEFF{Time} stderr F System.Exception: é\n{Time} stdout F other\n{Time} stderr F    at A.B()\n{Time} stderr P    at \n{Time} stdout F more\n{Time} stderr F C()\n{Time} stderr F next\n";
        byte[] bytes = Encoding.Unicode.GetBytes(text);
        rig.Append(bytes);
        await rig.StartAsync();
        await rig.UntilLinesAsync(4);
        Assert.Equal(["System.Exception: é\n   at A.B()\n   at C()", "other", "more", "next"], rig.Lines());
        EncodingTests.CheckRanges(rig, bytes);
        await rig.StopAsync();
    });

    private static AgentOptions With(AgentOptions options, MultilineOptions multiline) =>
        options with { Inputs = [options.Inputs[0] with { Multiline = multiline }] };
}
