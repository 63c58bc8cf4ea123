using System.Text;
using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Tests.Scripted;

namespace LogPipeline.Agent.Tests.Shaping;

/// <summary>Lines of which no record is made: what follows covers them, nothing is sent twice, and the file is finished all the same.</summary>
public sealed class LeftOutTests
{
    [Fact]
    public void Filtered_lines_are_covered_by_the_next_record_over_stops_and_kills() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = With(rig.Options, input => input with { Include = [new LinePattern("keep|drop")], ExcludeLines = [new LinePattern("drop")] });
        StringBuilder text = new();
        List<string> kept = [];
        void Append(string line)
        {
            text.Append(line).Append('\n');
            rig.Append(line + "\n");
            if (line.StartsWith("keep", StringComparison.Ordinal))
            {
                kept.Add(line);
            }
        }
        for (int round = 0; round < 6; round++)
        {
            await rig.StartAsync();
            Append("drop a");
            Append($"keep {round}");
            Append("other");
            Append("drop b");
            await rig.UntilAsync(() => rig.Lines().Count == kept.Count && rig.Agent.IsCaughtUp, "what is kept");
            Append("drop alone"); // nothing of this look becomes a record
            await rig.UntilAsync(() => rig.Agent.IsCaughtUp, "what is left out");
            if (round % 2 == 0)
            {
                rig.Kill();
            }
            else
            {
                await rig.StopAsync();
            }
        }
        await rig.StartAsync();
        Append("keep last");
        await rig.UntilLinesAsync(kept.Count);
        Assert.Equal(kept, rig.Lines());
        EncodingTests.CheckRanges(rig, Encoding.UTF8.GetBytes(text.ToString()));
        await rig.StopAsync();
    });

    [Fact]
    public void A_rotated_file_that_ends_in_lines_left_out_is_finished() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = With(rig.Options, input => input with { ExcludeLines = [new LinePattern("^x")] });
        rig.Append("a\nx\nx");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Machine.Rename(AgentRig.LogPath, "/logs/old");
        rig.Append("xx\nb\n");
        await rig.UntilLinesAsync(2);
        await rig.UntilAsync(() => rig.Agent.FilesFollowed == 1, "the renamed file is finished");
        await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        await rig.StopAsync();
        await rig.StartAsync();
        rig.Append("c\n");
        await rig.UntilLinesAsync(3);
        Assert.Equal(["a", "b", "c"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void Parts_of_a_long_line_are_left_out_together() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = With(rig.Options, input => input with { ExcludeLines = [new LinePattern("^x")] });
        rig.Append("x" + new string('y', 5000) + "\n" + new string('y', 5000) + "\n");
        await rig.StartAsync();
        await rig.UntilAsync(() => string.Concat(rig.Lines()) == new string('y', 5000), "the second line");
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(RatePolicy.Wait)]
    [InlineData(RatePolicy.Drop)]
    public void Lines_beyond_the_rate_wait_or_are_left_out(RatePolicy policy) => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = With(rig.Options, input => input with { RateLimit = new RateLimit(100, 10, policy) });
        rig.Append(string.Concat(Enumerable.Range(0, 60).Select(i => $"{i}\n")));
        long begin = rig.Time.GetTimestamp();
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp && rig.Lines().Count >= 10, "ten at once");
        if (policy == RatePolicy.Drop)
        {
            Assert.InRange(rig.Lines().Count, 10, 12);
        }
        else
        {
            await rig.UntilLinesAsync(60);
            Assert.Equal(Enumerable.Range(0, 60).Select(i => $"{i}"), rig.Lines());
            Assert.InRange(rig.Time.GetElapsedTime(begin).TotalSeconds, 0.45, 2);
        }
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        rig.Append("later\n");
        await rig.UntilAsync(() => rig.Lines()[^1] == "later", "a line after a second");
        await rig.StopAsync();
    });

    [Fact]
    public void A_changed_configuration_shapes_nothing_again_that_is_in_flight() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = With(rig.Options, input => input with { ExcludeLines = [new LinePattern("^x")], Multiline = new MultilineOptions { Continue = new LinePattern("^ ") } });
        rig.Append("one\n a\nx\ntwo\n b\nthree\n");
        await rig.StartAsync();
        // Taken, but the ack never comes: the entries are in flight when it stops.
        rig.Broker.Fate = _ => ProduceFate.TakeThenDropConnection;
        await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        rig.Kill();
        rig.Broker.Fate = _ => ProduceFate.Take;
        rig.Options = With(rig.Options, input => input with { Multiline = null, ExcludeLines = [], Include = [new LinePattern("four|three")] });
        await rig.StartAsync();
        rig.Append("four\n");
        await rig.UntilAsync(() => rig.Stored().Contains("four") && rig.Agent.IsCaughtUp, "what came last");
        List<string> stored = rig.Stored();
        Assert.Equal(["one\n a", "two\n b", "three", "four"], stored);
        EncodingTests.CheckRanges(rig, Encoding.UTF8.GetBytes("one\n a\nx\ntwo\n b\nthree\nfour\n"));
        await rig.StopAsync();
    });

    private static AgentOptions With(AgentOptions options, Func<InputOptions, InputOptions> change) =>
        options with { Inputs = [change(options.Inputs[0])] };
}
