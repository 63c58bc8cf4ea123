using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Contract;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tests.Tailing;

public sealed class RotationTests
{
    private const string Rotated = AgentRig.LogPath + ".1";

    [Fact]
    public void A_renamed_file_is_read_to_its_end_before_the_new_one() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Append("b\n");
        rig.Machine.Rename(AgentRig.LogPath, Rotated);
        rig.Append("c\nrest", Rotated);
        rig.Append("d\n");
        await rig.UntilLinesAsync(5);
        Assert.Equal(["a", "b", "c"], rig.Lines().Take(3));
        Assert.Equal(["d", "rest"], rig.Lines().Skip(3).Order());
        Assert.Contains(rig.Broker.Records(), r => r.Position.Flags.HasFlag(PositionFlags.NoNewline));
        await rig.StopAsync();
    });

    [Fact]
    public void A_file_renamed_while_the_agent_was_down_is_found_under_its_new_name() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        await rig.StopAsync();
        rig.Append("c\n");
        rig.Machine.Rename(AgentRig.LogPath, Rotated);
        rig.Append("d\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(4);
        Assert.Equal(["a", "b", "c", "d"], rig.Lines().Order());
        await rig.StopAsync();
    });

    [Fact]
    public void A_file_that_was_cut_and_then_renamed_to_a_name_that_nobody_wants_is_read_though_the_agent_is_killed_before() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("read before it was cut\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.StopAsync();
        rig.Truncate();
        rig.Append("a\n");
        rig.Machine.Rename(AgentRig.LogPath, "/logs/saved.txt");
        rig.Append("b\n");
        bool away = true;
        rig.Broker.Fate = _ => away ? ProduceFate.DropConnection : ProduceFate.Take;
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        rig.Kill();
        away = false;
        await rig.StartAsync();
        await rig.UntilLinesAsync(3);
        Assert.Equal(["read before it was cut", "a", "b"], rig.Lines());
        Assert.Equal([AgentRig.LogPath], rig.Broker.FileHeaders());
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(Rotated, false)]
    [InlineData("/old/access.log", false)]
    [InlineData(Rotated, true)]
    public void What_is_written_to_a_renamed_file_that_was_quiet_is_read(string name, bool isRestarted) => AgentRig.OnOneThread(async rig =>
    {
        rig.Machine.CreateDirectory("/old");
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Machine.Rename(AgentRig.LogPath, name);
        rig.Append("b\n");
        await rig.UntilLinesAsync(2);
        await PassQuietAsync(rig);
        if (isRestarted)
        {
            await rig.StopAsync();
            await rig.StartAsync();
        }
        // As nginx does until it is told to open its logs anew.
        rig.Append("c\n", name);
        await rig.UntilLinesAsync(3);
        Assert.Equal(["a", "b", "c"], rig.Lines());
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(AgentRig.LogPath, Rotated, false)]
    [InlineData(AgentRig.LogPath, Rotated, true)]
    [InlineData("/logs/access.1.log", "/logs/access.1.log", false)]
    [InlineData("/logs/access.1.log", "/logs/access.1.log", true)]
    public void A_file_that_is_moved_back_is_waited_for_where_a_line_is_unfinished(string first, string rotated, bool isRestarted) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n", first);
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        if (first != rotated)
        {
            rig.Machine.Rename(first, rotated);
            await PassQuietAsync(rig);
        }
        if (isRestarted)
        {
            await rig.StopAsync();
        }
        rig.Machine.Rename(rotated, AgentRig.LogPath);
        rig.Append("b");
        if (isRestarted)
        {
            await rig.StartAsync();
        }
        await PassQuietAsync(rig);
        await PassQuietAsync(rig);
        rig.Append("c\n");
        await rig.UntilLinesAsync(2);
        Assert.Equal(["a", "bc"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_line_that_was_unfinished_for_long_is_waited_for_after_the_renaming_too() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\nb");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await PassQuietAsync(rig);
        rig.Machine.Rename(AgentRig.LogPath, Rotated);
        await rig.PassAsync(TimeSpan.FromMilliseconds(10));
        rig.Append("c\n", Rotated);
        await rig.UntilLinesAsync(2);
        Assert.Equal(["a", "bc"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_file_is_followed_over_a_second_renaming_and_a_long_silence() => AgentRig.OnOneThread(async rig =>
    {
        const string Again = AgentRig.LogPath + ".2";
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Machine.Rename(AgentRig.LogPath, Rotated);
        await PassQuietAsync(rig);
        rig.Machine.Rename(Rotated, Again);
        await PassQuietAsync(rig);
        rig.Append("b\n", Again);
        await rig.UntilLinesAsync(2);
        rig.Machine.Delete(Again);
        await PassQuietAsync(rig);
        Assert.Equal(0, rig.Agent.FilesFollowed);
        Assert.Equal(["a", "b"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void What_is_written_over_a_renamed_file_is_another_file() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Machine.Rename(AgentRig.LogPath, Rotated);
        await PassQuietAsync(rig);
        rig.Append("b\n");
        await rig.UntilLinesAsync(2);
        rig.Truncate(Rotated);
        rig.Append("b\nand more\n", Rotated);
        await PassQuietAsync(rig);
        Assert.Equal(["a", "b"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_renamed_file_and_its_copy_do_not_take_turns() => AgentRig.OnOneThread(async rig =>
    {
        const string Copy = AgentRig.LogPath + ".bak";
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Machine.Rename(AgentRig.LogPath, Rotated);
        rig.Append("a\n", Copy);
        await rig.UntilAsync(() => rig.Agent.FilesFollowed == 0, "the file is finished");
        Assert.Contains($"{Rotated} Finished", rig.Agent.Describe(), StringComparison.Ordinal);
        await PassQuietAsync(rig);
        Assert.Equal(0, rig.Agent.FilesFollowed);
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_that_was_away_during_a_start_is_read_on(bool isFinished) => AgentRig.OnOneThread(async rig =>
    {
        // As before its volume is mounted.
        const string Away = "/away/access.log";
        rig.Machine.CreateDirectory("/away");
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Paths = ["/logs/*.log*"] }] };
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        if (isFinished)
        {
            rig.Machine.Rename(AgentRig.LogPath, Rotated);
            await PassQuietAsync(rig);
        }
        await rig.StopAsync();
        rig.Machine.Rename(isFinished ? Rotated : AgentRig.LogPath, Away);
        await rig.StartAsync();
        await PassQuietAsync(rig);
        rig.Append("b\n", Away);
        rig.Machine.Rename(Away, AgentRig.LogPath);
        await rig.UntilLinesAsync(2);
        await PassQuietAsync(rig);
        Assert.Equal(["a", "b"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_copy_made_before_a_truncation_is_read_beyond_what_was_read() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        await rig.StopAsync();
        rig.Append("c\nd\n");
        rig.Append(AtomicFile.ReadAll(rig.Machine, AgentRig.LogPath)!, Rotated);
        rig.Truncate();
        rig.Append("e\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(5);
        Assert.Equal(["a", "b", "c", "d", "e"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_copy_that_matches_the_pattern_is_not_read_twice() => AgentRig.OnOneThread(async rig =>
    {
        const string Copy = "/logs/access-1.log";
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        rig.Append(AtomicFile.ReadAll(rig.Machine, AgentRig.LogPath)!, Copy);
        await rig.PassAsync(TimeSpan.FromMilliseconds(20));
        rig.Truncate();
        rig.Append("c\n");
        await rig.UntilLinesAsync(3);
        await rig.PassAsync(TimeSpan.FromMilliseconds(400));
        Assert.Equal(["a", "b", "c"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_truncation_behind_which_the_file_grew_beyond_the_position_is_noticed() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("first line\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Truncate();
        rig.Append("another begin\nand more\n");
        await rig.UntilLinesAsync(3);
        Assert.Equal(["first line", "another begin", "and more"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void Reading_from_the_end_holds_for_the_first_start_only() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { ReadFrom = ReadFrom.End }] };
        rig.Append("old\nbegun ");
        await rig.StartAsync();
        rig.Append("and ended\n");
        await rig.UntilLinesAsync(1);
        rig.Append("new\n", "/logs/b.log");
        await rig.UntilLinesAsync(2);
        Assert.Equal(["begun and ended", "new"], rig.Lines());
        await rig.StopAsync();
        rig.Append("later\n", "/logs/c.log");
        await rig.StartAsync();
        await rig.UntilLinesAsync(3);
        Assert.Equal("later", rig.Lines()[2]);
        await rig.StopAsync();
    });

    /// <summary>Longer than a rotated file must be quiet to be finished.</summary>
    private static Task PassQuietAsync(AgentRig rig) => rig.PassAsync(TimeSpan.FromMilliseconds(150));
}
