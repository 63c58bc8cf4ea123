using LogPipeline.Agent.Tests.Scripted;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Hints of changed files, which only make the agent look sooner.</summary>
public sealed class HintTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(100);

    [Fact]
    public void A_file_that_is_made_right_after_a_look_is_looked_at_soon() => AgentRig.OnOneThread(async rig =>
    {
        using var watch = new ScriptedWatch();
        rig.Watch = watch;
        rig.Options = rig.Options with { SweepInterval = TimeSpan.FromSeconds(10) };
        await rig.StartAsync();
        for (int i = 1; i <= 3; i++)
        {
            string path = $"/logs/{i}.log";
            rig.Append("a line\n", path);
            watch.Hint!(path);
            await rig.PassAsync(Soon);
            Assert.Equal(i, rig.Lines().Count);
        }
        await rig.StopAsync();
    });

    [Fact]
    public void A_file_that_waits_for_its_predecessor_is_read_behind_it_at_once() => AgentRig.OnOneThread(async rig =>
    {
        using var watch = new ScriptedWatch();
        rig.Watch = watch;
        rig.Options = rig.Options with { SweepInterval = TimeSpan.FromSeconds(30) };
        bool isAway = true;
        rig.Broker.Fate = _ => isAway ? ProduceFate.DropConnection : ProduceFate.Take;
        await rig.StartAsync();
        string[] old = [.. Enumerable.Range(0, 100_000).Select(static i => $"line {i} of many that find no broker")];
        rig.Append(string.Join('\n', old) + "\n");
        watch.Hint!(AgentRig.LogPath);
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        rig.Machine.Rename(AgentRig.LogPath, AgentRig.LogPath + ".1");
        watch.Hint!(AgentRig.LogPath);
        rig.Append("new\n");
        watch.Hint!(AgentRig.LogPath);
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        isAway = false;
        long begin = rig.Time.GetTimestamp();
        await rig.UntilLinesAsync(old.Length + 1);
        Assert.Equal([.. old, "new"], rig.Lines());
        Assert.InRange(rig.Time.GetElapsedTime(begin), TimeSpan.Zero, TimeSpan.FromSeconds(20));
        await rig.StopAsync();
    });

    [Fact]
    public void Only_directories_that_are_looked_into_are_watched() => AgentRig.OnOneThread(async rig =>
    {
        using var watch = new ScriptedWatch();
        rig.Watch = watch;
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Paths = ["/logs/*/*.log"] }] };
        foreach (string directory in (string[])["/logs/a", "/logs/b"])
        {
            rig.Machine.CreateDirectory(directory);
            rig.Append("a line\n", directory + "/x.log");
        }
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        Assert.Equal(["/logs/a", "/logs/b"], watch.Watched);
        rig.Machine.Rename("/logs/a", "/elsewhere");
        await rig.PassAsync(Soon);
        watch.Watched.Clear();
        await rig.PassAsync(Soon);
        Assert.Equal(["/logs/b"], watch.Watched);
        await rig.StopAsync();
    });
}
