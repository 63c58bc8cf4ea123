using LogPipeline.Agent.Tests.Scripted;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Files that have another identity than before and are the same to their owner: written anew by rsync or an editor, or on a volume that
/// came back under another number.</summary>
public sealed class ReplacedFileTests
{
    private const string Temporary = "/logs/.access.log.x1";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_that_is_replaced_by_a_longer_one_is_read_on(bool isAway) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("one\ntwo\nthree\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(3);
        for (int sync = 0; sync < 3; sync++)
        {
            if (isAway)
            {
                await rig.StopAsync();
            }
            rig.Append(string.Concat(rig.Lines().Append($"sync {sync}").Select(line => line + "\n")), Temporary);
            rig.Machine.Rename(Temporary, AgentRig.LogPath);
            if (isAway)
            {
                await rig.StartAsync();
            }
            await rig.UntilLinesAsync(4 + sync);
        }
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(["one", "two", "three", "sync 0", "sync 1", "sync 2"], rig.Lines());
        await rig.StopAsync();
    });

    [Theory]
    [InlineData("same\n", "same\nmore\n")] // one line, which many files may begin with
    [InlineData("one\ntwo\nthree\n", "one\ntwo\nTHREE\n")] // an edited line
    [InlineData("one\ntwo\nthree\n", "one\ntwo\n")] // fewer lines
    public void A_file_that_does_not_prove_to_be_the_one_before_is_read_whole(string before, string after) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append(before);
        await rig.StartAsync();
        await rig.UntilLinesAsync(before.Count(c => c == '\n'));
        rig.Append(after, Temporary);
        rig.Machine.Rename(Temporary, AgentRig.LogPath);
        await rig.UntilLinesAsync((before + after).Count(c => c == '\n'));
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(1)] // too little to know it by its content
    [InlineData(300)]
    public void A_file_that_gets_another_identity_under_its_open_handle_is_read_on(int lines) => AgentRig.OnOneThread(async rig =>
    {
        string overlay = "lower";
        rig.MountOf = path => path.StartsWith("/logs", StringComparison.Ordinal) ? overlay : null;
        string[] first = [.. Enumerable.Range(0, lines).Select(static i => $"line {i}")];
        rig.Append(string.Concat(first.Select(static line => line + "\n")));
        await rig.StartAsync();
        await rig.UntilLinesAsync(lines);
        overlay = "upper";
        rig.Append("more\n");
        await rig.UntilLinesAsync(lines + 1);
        rig.Append("and more\n");
        await rig.UntilLinesAsync(lines + 2);
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal([.. first, "more", "and more"], rig.Lines());
        Assert.Single(rig.Broker.Records().Select(static record => record.Position.Generation).Distinct());
        await rig.StopAsync();
    });

    /// <summary>
    /// Before the first ack the registry knows no file's begin. The last KiB read lies within a long line, and the file was cut and begun anew
    /// with one that has the same there.
    /// </summary>
    [Fact]
    public void A_file_that_was_cut_and_is_alike_where_it_was_read_to_begins_anew() => AgentRig.OnOneThread(async rig =>
    {
        string Long(string name) => name + new string('x', 5000);
        bool isAway = true;
        rig.Broker.Fate = _ => isAway ? ProduceFate.DropConnection : ProduceFate.Take;
        rig.Options = rig.Options with { UnackedBytesMax = 100 };
        rig.Append(Long("first") + "\n");
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        rig.Kill();
        rig.Truncate();
        rig.Append(Long("other") + "\n");
        isAway = false;
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp && rig.Lines().Exists(static line => line.StartsWith("other", StringComparison.Ordinal)), "the new file is read");
        Assert.Equal(5005, string.Concat(rig.Lines().SkipWhile(static line => !line.StartsWith("other", StringComparison.Ordinal))).Length);
        await rig.StopAsync();
    });

    [Fact]
    public void A_renamed_file_does_not_go_on_in_a_new_one_that_begins_alike() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("one\ntwo\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        rig.Machine.Rename(AgentRig.LogPath, "/logs/old");
        rig.Append("one\ntwo\nthree\n");
        await rig.UntilLinesAsync(5);
        await rig.StopAsync();
    });

    [Fact]
    public void A_volume_that_comes_back_under_another_number_is_read_on() => AgentRig.OnOneThread(async rig =>
    {
        rig.MountOf = static path => path.StartsWith("/logs", StringComparison.Ordinal) ? "dev-7-0" : null;
        rig.Append("one\n"); // even a single line, since inode and time of birth are the same
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.StopAsync();
        rig.MountOf = static path => path.StartsWith("/logs", StringComparison.Ordinal) ? "dev-7-1" : null;
        rig.Append("two\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(["one", "two"], rig.Lines());
        await rig.StopAsync();
    });
}
