using System.Text;
using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Contract;

namespace LogPipeline.Agent.Tests.Shaping;

/// <summary>Lines that a container's runtime wrapped: whole, in pieces, of two streams that lie in each other, and lines of another form.</summary>
public sealed class ContainerTests
{
    private const string Time = "2026-11-26T08:00:00.123456789Z";

    [Theory]
    [InlineData(LineFormat.Docker, true)]
    [InlineData(LineFormat.Cri, false)]
    [InlineData(LineFormat.Container, true)]
    [InlineData(LineFormat.Container, false)]
    public void Pieces_are_joined_stream_by_stream_wherever_the_file_is_cut(LineFormat format, bool isDocker)
    {
        string Wrap(string text, bool isWhole, string stream = "stdout") => isDocker
            ? $$"""{"log":"{{text}}{{(isWhole ? "\\n" : "")}}","stream":"{{stream}}","time":"{{Time}}"}""" + "\n"
            : $"{Time} {stream} {(isWhole ? 'F' : 'P')} {text}\n";
        string text = Wrap("one", true) + Wrap("a", false) + Wrap("E1", true, "stderr") + Wrap("b", false) + Wrap("x", false, "stderr")
            + Wrap("c", true) + Wrap("", true) + Wrap("y", true, "stderr") + Wrap("end", true);
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        for (int cut = 0; cut <= bytes.Length; cut += 7)
        {
            AgentRig.OnOneThread(async rig =>
            {
                rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Format = format }] };
                rig.Append(bytes[..cut]);
                await rig.StartAsync();
                await rig.PassAsync(TimeSpan.FromMilliseconds(5));
                if (cut % 2 == 0)
                {
                    rig.Kill();
                    await rig.StartAsync();
                }
                rig.Append(bytes[cut..]);
                await rig.UntilLinesAsync(6);
                Assert.Equal(["one", "abc", "E1", "xy", "", "end"], rig.Lines());
                EncodingTests.CheckRanges(rig, bytes);
                await rig.StopAsync();
            });
        }
    }

    [Fact]
    public void A_line_that_does_not_fit_is_passed_on_and_told_once() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Format = LineFormat.Docker }] };
        string[] misfits = ["no json", """{"log":1}""", """{"log":"cut""", """{"stream":"stdout"}""", """{"log":"\ud800\n"}""", "{", "", """{"log":"a\n"} more"""];
        rig.Append(string.Concat(misfits.Select(line => line + "\n")) + """{"log":"good é\t\n","stream":"stderr","attrs":{"a":[1,{}]},"time":"x"}""" + "\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(misfits.Length + 1);
        Assert.Equal([.. misfits, "good é\t"], rig.Lines());
        Assert.All(rig.Broker.Records()[..^1], r => Assert.Equal(PositionFlags.None, r.Position.Flags));
        Assert.Equal(1, rig.Log.Count("is not of the format Docker"));
        await rig.StopAsync();
    });

    [Fact]
    public void A_line_whose_rest_does_not_come_is_a_record_and_the_rest_is_another() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Format = LineFormat.Cri }] };
        string text = $"{Time} stdout P begun\n{Time} stderr F other\n{Time} stdout F , ended late\n{Time} stdout F next\n";
        int cut = text.IndexOf(Time + " stdout F ,", StringComparison.Ordinal);
        rig.Append(text[..cut]);
        await rig.StartAsync();
        await rig.PassAsync(MultilineOptions.DefaultTimeout / 2);
        Assert.Empty(rig.Lines());
        await rig.UntilLinesAsync(2);
        rig.Kill();
        rig.Append(text[cut..]);
        await rig.StartAsync();
        await rig.UntilLinesAsync(4);
        Assert.Equal(["begun", "other", ", ended late", "next"], rig.Lines());
        Assert.Equal([true, false, false, false], rig.Broker.Records().Select(static r => r.Position.Flags.HasFlag(PositionFlags.NoNewline)));
        Assert.All(rig.Broker.Records(), static r => Assert.Equal(0, r.Position.Part));
        EncodingTests.CheckRanges(rig, Encoding.UTF8.GetBytes(text));
        await rig.StopAsync();
    });

    [Fact]
    public void A_line_whose_rest_does_not_come_does_not_hold_up_the_other_output() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Format = LineFormat.Cri }] };
        rig.Append($"{Time} stdout P begun\n");
        await rig.StartAsync();
        for (int i = 0; i < 5; i++)
        {
            rig.Append($"{Time} stderr F {i}\n");
            await rig.PassAsync(MultilineOptions.DefaultTimeout * 0.4);
        }
        Assert.Equal(["begun", "0", "1"], rig.Lines()[..3]);
        await rig.UntilLinesAsync(6);
        await rig.StopAsync();
    });

    [Fact]
    public void More_pieces_than_a_record_may_hold_become_parts() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Format = LineFormat.Cri }] };
        string piece = new('x', 300);
        string text = string.Concat(Enumerable.Range(0, 40).Select(i => $"{Time} stdout {(i == 39 ? 'F' : 'P')} {i:D3}{piece}\n")) + $"{Time} stdout F next\n";
        await rig.StartAsync();
        for (int at = 0; at < text.Length; at += 1000)
        {
            rig.Append(text[at..Math.Min(at + 1000, text.Length)]);
            await rig.PassAsync(TimeSpan.FromMilliseconds(3));
            if (at == 5000)
            {
                rig.Kill();
                await rig.StartAsync();
            }
        }
        await rig.UntilAsync(() => rig.Lines() is [.., "next"], "the last line");
        List<(RecordPosition Position, byte[] Value)> records = rig.Broker.Records();
        Assert.Equal(string.Concat(Enumerable.Range(0, 40).Select(i => $"{i:D3}{piece}")), string.Concat(rig.Lines()[..^1]));
        Assert.Equal(Enumerable.Range(1, records.Count - 1), records[..^1].Select(r => r.Position.Part));
        Assert.All(records[..^1], r => Assert.Equal((0L, true), (r.Position.LineBegin, r.Value.Length <= 1024)));
        Assert.True(records[^2].Position.IsLast);
        EncodingTests.CheckRanges(rig, Encoding.UTF8.GetBytes(text));
        await rig.StopAsync();
    });

    [Theory]
    [InlineData("2026-11-26T08:00:00.123456789Z", 1795680000123, 30)]
    [InlineData("2026-11-26T08:00:00+08:00", 1795651200000, 25)]
    [InlineData("2026-11-26 08:00:00,5 rest", 1795680000500, 21)]
    [InlineData("1970-01-01T00:00:00-0100", 3600000, 24)]
    public void Times_are_read(string text, long milliseconds, int size)
    {
        Assert.True(LineTime.TryReadIso8601(Encoding.UTF8.GetBytes(text), out long read, out int taken));
        Assert.Equal((milliseconds, size), (read, taken));
    }

    [Theory]
    [InlineData("2026-13-26T08:00:00Z")]
    [InlineData("2026-02-30T08:00:00Z")]
    [InlineData("2026-02-20T08:00:0")]
    [InlineData("0000-02-20T08:00:00")]
    public void What_is_no_time_is_refused(string text) => Assert.False(LineTime.TryReadIso8601(Encoding.UTF8.GetBytes(text), out _, out _));
}
