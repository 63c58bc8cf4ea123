using LogPipeline.Agent.Tests.Scripted;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Files that are there for a moment only: what was seen of them once is read, whatever becomes of their names.</summary>
public sealed class FirstSightTests
{
    [Fact]
    public void Files_that_are_alike_and_named_alike_are_all_read_at_once() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("started\nok\n", "/logs/backup.1.log");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        rig.Append("started\nok\n", "/logs/backup.2.log");
        await rig.PassAsync(rig.Options.CopyWait / 4);
        Assert.Equal(4, rig.Lines().Count);
        await rig.StopAsync();
    });

    [Fact]
    public void A_file_that_could_be_a_copy_and_vanishes_is_read_though_its_original_was_never_cut() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Paths = ["/logs/*"] }] };
        rig.Append("started\nok\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        rig.Append("started\nok\n", AgentRig.LogPath + ".1");
        await rig.PassAsync(rig.Options.CopyWait / 4);
        Assert.Equal(2, rig.Lines().Count);
        rig.Machine.Delete(AgentRig.LogPath + ".1");
        await rig.UntilLinesAsync(4);
        await rig.StopAsync();
    });

    [Fact]
    public void A_copy_that_grows_waits_longer_than_one_that_rests() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Paths = ["/logs/*"] }] };
        string[] lines = [.. Enumerable.Range(0, 20).Select(i => $"line {i}\n")];
        rig.Append(string.Concat(lines));
        await rig.StartAsync();
        await rig.UntilLinesAsync(20);
        foreach (string line in lines)
        {
            rig.Append(line, AgentRig.LogPath + ".1");
            await rig.PassAsync(rig.Options.CopyWait / 2);
        }
        rig.Truncate();
        rig.Append("after\n");
        await rig.UntilLinesAsync(21);
        await rig.PassAsync(rig.Options.CopyWait * 3);
        Assert.Equal(21, rig.Lines().Count);
        await rig.StopAsync();
    });

    [Fact]
    public void Files_that_come_and_go_while_the_broker_is_away_are_read() => AgentRig.OnOneThread(async rig =>
    {
        bool away = true;
        rig.Broker.Fate = _ => away ? ProduceFate.DropConnection : ProduceFate.Take;
        await rig.StartAsync();
        for (int pod = 0; pod < 3; pod++)
        {
            rig.Append($"pod {pod} one\npod {pod} two\n", $"/logs/pod-{pod}.log");
            await rig.PassAsync(TimeSpan.FromMilliseconds(50));
            rig.Machine.Delete($"/logs/pod-{pod}.log");
            await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        }
        away = false;
        await rig.UntilLinesAsync(6);
        await rig.StopAsync();
    });

    [Fact]
    public void More_unread_files_than_may_be_held_are_told_of_and_read_in_their_turn() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { OpenFilesMax = 4 };
        bool away = true;
        rig.Broker.Fate = _ => away ? ProduceFate.DropConnection : ProduceFate.Take;
        for (int i = 0; i < 12; i++)
        {
            rig.Append($"line of {i}\n", $"/logs/app-{i}.log");
        }
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Log.Count("Raise open_files_max") == 1, "the bound is told");
        Assert.Equal(12 - 4, rig.Agent.Describe().Split(" closed").Length - 1);
        away = false;
        await rig.UntilLinesAsync(12);
        await rig.StopAsync();
    });

    [Fact]
    public void A_compressed_file_is_left_out() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Paths = ["/logs/*"] }] };
        rig.Append([0x1f, 0x8b, 0x08, 0, (byte)'\n', 1, 2, (byte)'\n'], "/logs/access.log.2.gz");
        rig.Append("text\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(["text"], rig.Lines());
        await rig.StopAsync();
    });
}
