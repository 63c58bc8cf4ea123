using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>The present configuration says what is read, whatever the registry remembers.</summary>
public sealed class WantedPathsTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_that_is_excluded_or_named_no_more_is_not_read_on(bool isExcluded) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("app 1\n");
        rig.Append("secret 1\n", "/logs/secret.log");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        await rig.StopAsync();
        rig.Options = rig.Options with
        {
            Inputs = [rig.Options.Inputs[0] with { Paths = [isExcluded ? "/logs/*.log" : "/logs/access*"], Exclude = isExcluded ? ["secret.log"] : [] }],
        };
        rig.Append("secret 2\n", "/logs/secret.log");
        await rig.StartAsync();
        for (int i = 0; i < 2; i++)
        {
            rig.Append("secret 3\n", "/logs/secret.log");
            rig.Append($"app {i + 2}\n");
            await rig.UntilLinesAsync(3 + i);
            await rig.PassAsync(TimeSpan.FromSeconds(1));
            await rig.StopAsync();
            await rig.StartAsync();
        }
        Assert.DoesNotContain("secret 2", rig.Lines());
        Assert.DoesNotContain("secret 3", rig.Lines());
        Assert.True(rig.Log.Count("/logs/secret.log: no input") > 0);
        await rig.StopAsync();
    });

    [Fact]
    public void Only_a_new_pattern_begins_at_the_end() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { ReadFrom = ReadFrom.End }] };
        rig.Machine.CreateDirectory("/more");
        rig.Append("old\n");
        rig.Append("old other\n", "/more/other.log");
        await rig.StartAsync();
        rig.Append("line 1\n");
        await rig.UntilLinesAsync(1);
        await rig.StopAsync();
        rig.Append("line 2\n");
        rig.Machine.Rename(AgentRig.LogPath, AgentRig.LogPath + ".1");
        rig.Append("line 3\n");
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Paths = ["/more/*.log", "/logs/*.log"] }] };
        await rig.StartAsync();
        rig.Append("line 4\n");
        rig.Append("other new\n", "/more/other.log");
        await rig.UntilLinesAsync(5);
        Assert.Equal(["line 1", "line 2", "line 3", "line 4", "other new"], rig.Lines().Order());
        await rig.StopAsync();
    });

    [Fact]
    public void What_the_product_writes_is_never_read() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Paths = ["/**/*"] }], OwnPaths = ["/data/broker"] };
        rig.Machine.CreateDirectory("/data/broker/t-0");
        rig.Append("segment\n", "/data/broker/t-0/00000000000000000000.log");
        rig.Append("line\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(["line"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void Paths_that_name_nothing_are_told_once() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Paths = ["/logs/*.log", "/logs/{access,other}.log", "/none/*.log", "/logs"] }] };
        rig.Append("one\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(1, rig.Log.Count("/none/*.log: no file is there yet"));
        Assert.Equal(1, rig.Log.Count("/logs: is a directory"));
        Assert.Equal(2, rig.Log.Lines.Count);
        await rig.StopAsync();
    });

    [Fact]
    public void An_exact_path_is_read_where_nothing_may_be_listed() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Paths = [AgentRig.LogPath] }] };
        rig.BeforeFileCall = call =>
        {
            if (call.Operation == FileOperation.List && call.Path == "/logs")
            {
                throw new IOException("Permission denied");
            }
        };
        rig.Append("one\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Append("two\n");
        await rig.UntilLinesAsync(2);
        await rig.StopAsync();
    });
}
