using LogPipeline.Agent.Tests.Scripted;
using static LogPipeline.Agent.Tests.Tailing.Rotations;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Files that were begun and rotated while the configuration did not want their path.</summary>
public sealed class RotationsWhileUnwantedTests
{
    [Theory]
    [InlineData("rename")]
    [InlineData("copytruncate")]
    [InlineData("compress")]
    [InlineData("copytruncate, compress")]
    [InlineData("dates")]
    [InlineData("counts of a day")]
    [InlineData("rising counts")]
    public void Those_of_a_time_in_which_the_path_was_not_wanted_are_read_when_it_is_again(string how) => AgentRig.OnOneThread(async rig =>
    {
        InputOptions wanted = rig.Options.Inputs[0];
        rig.Append(Text("read", 1, 20));
        await rig.StartAsync();
        await rig.UntilLinesAsync(20);
        await rig.StopAsync();
        rig.Options = rig.Options with { Inputs = [wanted with { Paths = ["/elsewhere/*.log"] }] };
        for (int rotation = 1; rotation <= 3; rotation++)
        {
            await rig.StartAsync();
            await rig.PassAsync(TimeSpan.FromSeconds(40));
            rig.Append(Text($"meanwhile {rotation}", 1, 20));
            await rig.PassAsync(TimeSpan.FromSeconds(40));
            Rotate(rig, how, rotation);
            await rig.PassAsync(TimeSpan.FromSeconds(20));
            await rig.StopAsync();
        }
        rig.Append("new\n");
        rig.Options = rig.Options with { Inputs = [wanted] };
        await rig.StartAsync();
        await rig.UntilLinesAsync(81);
        Assert.Equal([.. Lines("read", 20), .. Enumerable.Range(1, 3).SelectMany(n => Lines($"meanwhile {n}", 20)), "new"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void Those_of_a_path_that_was_not_wanted_are_read_though_its_last_file_was_over_long_ago() => AgentRig.OnOneThread(async rig =>
    {
        InputOptions wanted = rig.Options.Inputs[0];
        rig.Append(Text("read", 1, 20));
        await rig.StartAsync();
        await rig.UntilLinesAsync(20);
        Rotate(rig, "rename", 1);
        await rig.PassAsync(TimeSpan.FromSeconds(40));
        await rig.StopAsync();
        rig.Time.Advance(TimeSpan.FromDays(6));
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await rig.StopAsync();
        rig.Options = rig.Options with { Inputs = [wanted with { Paths = ["/elsewhere/*.log"] }] };
        await rig.StartAsync();
        await rig.StopAsync();
        rig.Time.Advance(TimeSpan.FromDays(2));
        await rig.StartAsync();
        rig.Append(Text("meanwhile", 1, 20));
        await rig.PassAsync(TimeSpan.FromSeconds(40));
        Rotate(rig, "rename", 2);
        await rig.StopAsync();
        rig.Append("new\n");
        rig.Options = rig.Options with { Inputs = [wanted] };
        await rig.StartAsync();
        await rig.UntilLinesAsync(41);
        Assert.Equal([.. Lines("read", 20), .. Lines("meanwhile", 20), "new"], rig.Lines());
        await rig.StopAsync();
    });
}
