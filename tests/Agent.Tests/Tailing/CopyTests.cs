using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Copies that copytruncate makes, and what becomes of their originals before the agent looks.</summary>
public sealed class CopyTests
{
    private const string Copy = AgentRig.LogPath + ".1";
    private const string Renamed = AgentRig.LogPath + ".2";

    /// <summary>Longer than what is read in these tests, so that length alone shows no cut.</summary>
    private const string Regrown = "written anew and longer than all before\n";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_copy_is_read_on_though_its_original_was_deleted_unseen(bool replaced) => WithCopiesFollowed(async rig =>
    {
        await ReadAsync(rig, "a\nb\n");
        await rig.StopAsync();
        rig.Append("c\n");
        MakeCopy(rig);
        rig.Truncate();
        rig.Machine.Delete(AgentRig.LogPath);
        rig.Append("d\n", replaced ? AgentRig.LogPath : "/logs/other.log");
        await rig.StartAsync();
        await ExpectAsync(rig, "a", "b", "c", "d");
    });

    [Fact]
    public void A_copy_is_read_on_though_its_original_was_cut_and_deleted_between_two_looks() => WithCopiesFollowed(async rig =>
    {
        rig.Options = rig.Options with { SweepInterval = TimeSpan.FromMilliseconds(100) };
        await ReadAsync(rig, "a\nb\n");
        MakeCopy(rig);
        rig.Truncate();
        rig.Append("c\n");
        rig.Machine.Delete(AgentRig.LogPath);
        rig.Append("d\n");
        // What came between cut and deletion is still there for who has the file open.
        await ExpectAsync(rig, "a", "b", "c", "d");
    });

    [Fact]
    public void A_copy_shorter_than_what_was_read_is_known_though_its_original_was_cut_renamed_and_grew() => WithCopiesFollowed(async rig =>
    {
        await ReadAsync(rig, "a\nb\n");
        MakeCopy(rig);
        await ReadAsync(rig, "c\n");
        await rig.StopAsync();
        rig.Truncate();
        rig.Append(Regrown);
        rig.Machine.Rename(AgentRig.LogPath, Renamed);
        await rig.StartAsync();
        await ExpectAsync(rig, "a", "b", "c", Regrown.TrimEnd());
    });

    [Fact]
    public void A_copy_shorter_than_what_was_read_is_known_though_the_topic_was_made_anew_meanwhile() => WithCopiesFollowed(async rig =>
    {
        await ReadAsync(rig, "a\nb\n");
        MakeCopy(rig);
        await ReadAsync(rig, "c\n");
        rig.Broker.TopicId = new Guid(9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9);
        rig.Broker.LoseTail(rig.Broker.Batches);
        rig.Broker.Disconnect();
        rig.Append("d\n");
        await rig.UntilLinesAsync(1);
        rig.Truncate();
        rig.Append("e\n");
        await ExpectAsync(rig, "d", "e");
    });

    [Fact]
    public void A_copy_first_seen_when_its_original_has_grown_again_is_known() => WithCopiesFollowed(async rig =>
    {
        rig.Options = rig.Options with { SweepInterval = TimeSpan.FromMilliseconds(100) };
        await ReadAsync(rig, "a\nb\n");
        MakeCopy(rig);
        rig.Append("c\n", Copy);
        rig.Truncate();
        rig.Append(Regrown);
        await ExpectAsync(rig, "a", "b", "c", Regrown.TrimEnd());
    });

    [Fact]
    public void A_copy_is_known_when_the_host_crashed_after_its_original_was_cut() => WithCopiesFollowed(async rig =>
    {
        await ReadAsync(rig, "a\nb\n");
        rig.Kill();
        rig.Append("c\n");
        MakeCopy(rig);
        rig.Truncate();
        rig.Append("d\n");
        rig.Options = rig.Options with { BootId = "b2" };
        await rig.StartAsync();
        await ExpectAsync(rig, "a", "b", "c", "d");
    });

    [Fact]
    public void A_copy_of_what_a_crash_of_the_host_left_is_read_from_what_is_new() => WithCopiesFollowed(async rig =>
    {
        string known = new('k', 1023);
        await StartOnCopyOfRestAsync(rig, known);
        await ExpectAsync(rig, known, "a", "b", "c", "d", "e");
    });

    [Fact]
    public void A_copy_that_a_second_crash_cuts_below_what_was_new_in_it_is_not_read_again() => WithCopiesFollowed(async rig =>
    {
        string known = new('k', 1023);
        await StartOnCopyOfRestAsync(rig, known);
        await rig.UntilLinesAsync(6);
        rig.Kill();
        rig.Truncate(Copy);
        rig.Append($"{known}\n", Copy);
        rig.Options = rig.Options with { BootId = "b3" };
        await rig.StartAsync();
        await rig.PassAsync(rig.Options.RotatedQuiet * 3);
        await ExpectAsync(rig, known, "a", "b", "c", "d", "e");
    });

    [Fact]
    public void A_file_that_shares_a_short_begin_with_one_that_a_crash_took_is_read_whole() => WithCopiesFollowed(async rig =>
    {
        await ReadAsync(rig, "head\na\nb\n");
        rig.Kill();
        rig.Truncate();
        rig.Append("head\nc\n", Copy);
        rig.Append("d\n");
        rig.Options = rig.Options with { BootId = "b2" };
        await rig.StartAsync();
        await ExpectAsync(rig, "head", "a", "b", "head", "c", "d");
    });

    [Fact]
    public void A_file_whose_first_line_has_only_begun_is_not_taken_for_a_copy_of_one_that_a_crash_took() => WithCopiesFollowed(async rig =>
    {
        await ReadAsync(rig, "line 1\nline 2\n");
        CutByCrash(rig, "line 1\n");
        rig.Append("l", Copy);
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromMilliseconds(100));
        rig.Append("ine 3\n", Copy);
        await ExpectAsync(rig, "line 1", "line 2", "line 3");
    });

    [Fact]
    public void A_copy_of_what_was_read_is_known_though_a_crash_took_the_end_of_its_last_line() => WithCopiesFollowed(async rig =>
    {
        await ReadAsync(rig, "line 1\nline 2\n");
        CutByCrash(rig, "");
        rig.Append("line 1\nlin", Copy);
        await rig.StartAsync();
        await ExpectAsync(rig, "line 1", "line 2", "lin");
    });

    [Fact]
    public void What_is_written_under_the_name_of_a_file_that_was_renamed_is_not_taken_for_its_copy() => WithCopiesFollowed(async rig =>
    {
        await ReadAsync(rig, "head\nline 1\nline 2\n");
        CutByCrash(rig, "head\nline 1\n");
        rig.Machine.Rename(AgentRig.LogPath, Renamed);
        rig.Append("head\nl");
        await rig.StartAsync();
        await rig.PassAsync(rig.Options.RotatedQuiet * 1.5);
        rig.Append("ine 3\n");
        await ExpectAsync(rig, "head", "line 1", "line 2", "head", "line 3");
    });

    [Fact]
    public void A_copy_that_has_only_just_begun_waits_too() => WithCopiesFollowed(async rig =>
    {
        await ReadAsync(rig, "a\nb\n");
        rig.Append("", Copy);
        await rig.PassAsync(TimeSpan.FromMilliseconds(20));
        rig.Append("a\nb\n", Copy);
        await rig.PassAsync(TimeSpan.FromMilliseconds(20));
        rig.Truncate();
        rig.Append("c\n");
        await ExpectAsync(rig, "a", "b", "c");
    });

    [Theory]
    [InlineData(-2)]
    [InlineData(2)]
    public void A_copy_waits_as_long_as_it_should_though_the_clock_jumps(int hours) => WithCopiesFollowed(async rig =>
    {
        await ReadAsync(rig, "a\nb\n");
        MakeCopy(rig);
        await rig.PassAsync(TimeSpan.FromMilliseconds(20));
        rig.Time.WallOffset = TimeSpan.FromHours(hours);
        await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        Assert.Equal(["a", "b"], rig.Lines());
        // Nothing was cut: it is a file of its own.
        await rig.UntilLinesAsync(4);
        Assert.Equal(["a", "b", "a", "b"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_new_file_shorter_than_a_copy_that_was_read_before_is_not_taken_for_a_part_of_it() => WithCopiesFollowed(async rig =>
    {
        await ReadAsync(rig, "a\nb\n");
        MakeCopy(rig);
        await ReadAsync(rig, "c\n");
        rig.Truncate();
        await ReadAsync(rig, "d\n");
        rig.Kill();
        // The host crashes: the copy loses its end.
        rig.Truncate(Copy);
        rig.Append("a\n", Copy);
        rig.Append("x\n", Renamed);
        rig.Options = rig.Options with { BootId = "b2" };
        await rig.StartAsync();
        await ExpectAsync(rig, "a", "b", "c", "d", "x");
    });

    [Fact]
    public void A_file_whose_renaming_is_lost_in_a_crash_lives_again() => WithCopiesFollowed(async rig =>
    {
        await ReadAsync(rig, "a\n");
        rig.Machine.Rename(AgentRig.LogPath, Renamed);
        await rig.UntilAsync(() => rig.Agent.Describe().Contains("Rotated", StringComparison.Ordinal), "it is seen rotated");
        await rig.StopAsync();
        rig.Machine.Rename(Renamed, AgentRig.LogPath);
        rig.Options = rig.Options with { BootId = "b2" };
        await rig.StartAsync();
        rig.Append("ha");
        await rig.PassAsync(TimeSpan.FromMilliseconds(100));
        rig.Append("lf\n");
        await ExpectAsync(rig, "a", "half");
    });

    [Fact]
    public void A_copy_of_what_came_since_another_was_made_unseen_waits_too() => WithCopiesFollowed(async rig =>
    {
        rig.Options = rig.Options with { SweepInterval = TimeSpan.FromMilliseconds(100) };
        await ReadAsync(rig, "a\nb\n");
        MakeCopy(rig);
        rig.Truncate();
        rig.Append("c\n");
        MakeCopy(rig, Renamed);
        await rig.UntilLinesAsync(3);
        rig.Truncate();
        rig.Append("d\n");
        await ExpectAsync(rig, "a", "b", "c", "d");
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_copy_waits_under_the_name_of_one_that_moved_on(bool wasThere) => WithCopiesFollowed(async rig =>
    {
        // As logrotate does it: log.1 becomes log.2, and the next copy is log.1.
        if (wasThere)
        {
            rig.Append("c\n", Copy);
        }
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(wasThere ? 3 : 2);
        if (!wasThere)
        {
            MakeCopy(rig);
            rig.Truncate();
            await ReadAsync(rig, "c\n");
        }
        rig.Machine.Rename(Copy, Renamed);
        MakeCopy(rig);
        await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        rig.Truncate();
        rig.Append("d\n");
        await ExpectAsync(rig, "a", "b", "c", "d");
    });

    [Theory]
    [InlineData(2)]
    [InlineData(1023)]
    public void A_copy_is_known_though_it_was_deleted_and_its_original_has_its_name(int length) => WithCopiesFollowed(async rig =>
    {
        rig.Options = rig.Options with { SweepInterval = TimeSpan.FromMilliseconds(100) };
        string first = new('a', length);
        await ReadAsync(rig, $"{first}\nb\n");
        MakeCopy(rig);
        await rig.PassAsync(TimeSpan.FromMilliseconds(250)); // it waits, held open
        // Two rotations between two looks: by copy and cut, and by renaming.
        rig.Truncate();
        rig.Append("c\n");
        rig.Machine.Delete(Copy);
        rig.Machine.Rename(AgentRig.LogPath, Copy);
        rig.Append("d\n");
        await ExpectAsync(rig, first, "b", "c", "d");
    });

    [Fact]
    public void A_copy_of_what_a_crash_left_and_what_came_since_waits_for_the_cut() => WithCopiesFollowed(async rig =>
    {
        string known = new('k', 1023);
        await ReadAsync(rig, $"{known}\na\nb\n");
        CutByCrash(rig, $"{known}\na\nc\n");
        MakeCopy(rig);
        await rig.StartAsync();
        await rig.UntilLinesAsync(4);
        rig.Truncate();
        rig.Append("d\n");
        await ExpectAsync(rig, known, "a", "b", "c", "d");
    });

    [Fact]
    public void A_deleted_file_does_not_go_on_in_the_copy_of_another_that_began_alike() => WithCopiesFollowed(async rig =>
    {
        await ReadAsync(rig, "head\n");
        rig.Machine.Delete(AgentRig.LogPath);
        await ReadAsync(rig, "head\na\n");
        await rig.PassAsync(rig.Options.RotatedQuiet * 0.7);
        MakeCopy(rig);
        await rig.PassAsync(rig.Options.RotatedQuiet * 0.7);
        rig.Truncate();
        await ReadAsync(rig, "b\n");
        await ExpectAsync(rig, "head", "head", "a", "b");
    });

    [Fact]
    public void A_copy_of_a_file_that_a_crash_had_cut_is_known_when_the_next_crash_cuts_it_too() => WithCopiesFollowed(async rig =>
    {
        await ReadAsync(rig, "a\nb\n");
        CutByCrash(rig, "a\n");
        await rig.StartAsync();
        await ReadAsync(rig, "c\n");
        MakeCopy(rig);
        rig.Truncate();
        await ReadAsync(rig, "d\n");
        rig.Kill();
        rig.Truncate(Copy);
        rig.Append("a\n", Copy);
        rig.Options = rig.Options with { BootId = "b3" };
        await rig.StartAsync();
        await ExpectAsync(rig, "a", "b", "c", "d");
    });

    /// <summary>The host crashed and the file lost its last line, went on, and was copied and cut.</summary>
    private static async Task StartOnCopyOfRestAsync(AgentRig rig, string known)
    {
        await ReadAsync(rig, $"{known}\na\nb\n");
        rig.Kill();
        rig.Truncate();
        rig.Append($"{known}\na\nc\nd\n");
        MakeCopy(rig);
        rig.Truncate();
        rig.Append("e\n");
        rig.Options = rig.Options with { BootId = "b2" };
        await rig.StartAsync();
    }

    private static void WithCopiesFollowed(Func<AgentRig, Task> test) => AgentRig.OnOneThread(rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Paths = ["/logs/*.log*"] }] };
        return test(rig);
    });

    private static async Task ReadAsync(AgentRig rig, string text)
    {
        int count = rig.Lines().Count;
        rig.Append(text);
        if (count == 0)
        {
            await rig.StartAsync();
        }
        await rig.UntilLinesAsync(count + text.Count(c => c == '\n'));
    }

    /// <summary>The host crashes, and of the log this is left.</summary>
    private static void CutByCrash(AgentRig rig, string left)
    {
        rig.Kill();
        rig.Truncate();
        rig.Append(left);
        rig.Options = rig.Options with { BootId = "b2" };
    }

    private static void MakeCopy(AgentRig rig, string path = Copy) => rig.Append(AtomicFile.ReadAll(rig.Machine, AgentRig.LogPath)!, path);

    /// <summary>These lines and no others, also after what waits as a copy has waited long enough.</summary>
    private static async Task ExpectAsync(AgentRig rig, params string[] lines)
    {
        await rig.UntilLinesAsync(lines.Length);
        await rig.PassAsync(rig.Options.CopyWait * 1.5);
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp, "caught up");
        Assert.Equal(lines.Order(), rig.Lines().Order());
        await rig.StopAsync();
    }
}
