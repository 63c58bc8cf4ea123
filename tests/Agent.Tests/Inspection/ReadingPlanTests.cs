using LogPipeline.Agent.Inspection;
using LogPipeline.Agent.Tests.Scripted;

namespace LogPipeline.Agent.Tests.Inspection;

/// <summary>What a configuration would change, told beforehand; nothing is changed by that.</summary>
public sealed class ReadingPlanTests
{
    [Fact]
    public void Files_that_would_start_stop_and_go_on_are_told_with_positions_and_bytes() => AgentRig.OnOneThread(async rig =>
    {
        rig.Machine.CreateDirectory("/new");
        rig.Append("one\n", "/logs/a.log");
        rig.Append("two\n", "/logs/b.log");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        await rig.StopAsync();
        rig.Append("more\n", "/logs/a.log");
        rig.Append("unread\n", "/logs/b.log");
        rig.Append("fresh\n", "/new/c.log");
        rig.Append("end\nrest", "/new/tail.log");
        rig.Append([0x1f, 0x8b, 0x08, 0], "/new/c.log.gz");
        List<string> before = Listing(rig);
        InputOptions old = rig.Options.Inputs[0];
        AgentOptions next = rig.Options with
        {
            Inputs = [old with { Paths = ["/logs/a.log", "/new/c.*", "/nowhere/*"] }, old with { Paths = ["/new/tail.log"], Topic = "u", ReadFrom = ReadFrom.End }],
        };

        var plan = ReadingPlan.Of(next, rig.Machine, running: null);
        Assert.Equal(
        [
            "start      /new/c.log -> t, from byte 0: 6 B",
            "start      /new/tail.log -> u, from byte 4: 4 B",
            "go on      /logs/a.log -> t, at byte 4: 5 B left",
            "stop       /logs/b.log -> t, at byte 4: 7 B not read",
            "leave out  /new/c.log.gz -> t: it is compressed: its lines were read before it was, or are older than the agent",
            "no file    /nowhere/*",
            "2 start, 1 go on, 1 stop, 1 leave out; 15 B to read, 2 s at 10 B/s (given)",
        ], PlanText.Show(plan, 10, "given", 20));
        Assert.EndsWith("15 B to read; --rate 10MB says how long at so many bytes a second", PlanText.Show(plan, null, "", 20).Last(), StringComparison.Ordinal);
        Assert.Equal(before, Listing(rig));

        rig.Options = next;
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Count == 4, "what was to start and to go on is read");
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(["fresh", "more", "one", "two"], rig.Lines().Order(StringComparer.Ordinal));
        await rig.StopAsync();
    });

    [Fact]
    public void A_file_that_was_cut_or_replaced_would_start_anew_and_a_rotated_one_go_on() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("one\ntwo\n", "/logs/a.log");
        rig.Append("eins\nzwei\n", "/logs/b.log");
        await rig.StartAsync();
        await rig.UntilLinesAsync(4);
        await rig.StopAsync();
        rig.Truncate("/logs/a.log");
        rig.Append("new\n", "/logs/a.log");
        rig.Machine.Rename("/logs/b.log", "/logs/b.log.1");
        rig.Append("drei\n", "/logs/b.log.1");
        rig.Append("vier\n", "/logs/b.log");
        Assert.Equal(
        [
            "start      /logs/b.log -> t, from byte 0: 5 B",
            "start      /logs/a.log -> t, from byte 0: 4 B",
        ], PlanText.Show(ReadingPlan.Of(rig.Options, rig.Machine, null), null, "", 20).Take(2));
    });

    private static List<string> Listing(AgentRig rig) =>
        [.. rig.Machine.List("/state").Select(static entry => entry.Name).Order(StringComparer.Ordinal)
            .Select(name => $"{name} {rig.Machine.Stat($"/state/{name}")}")];
}
