using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Files that are cut before anything of them was read, as while no broker can be reached. No pattern matches their copies.</summary>
public sealed class UnreadCopyTests
{
    private const string Copy = AgentRig.LogPath + ".1";

    [Theory]
    [InlineData("")]
    [InlineData("c\n")]
    [InlineData("written anew and longer than all before\n")]
    public void What_was_not_read_of_a_file_is_read_from_its_copy(string written) => WithoutBroker(async rig =>
    {
        await SeenAsync(rig, "a\nb\n");
        rig.Append(rig.Read(AgentRig.LogPath), Copy);
        rig.Truncate();
        rig.Append(written);
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await ExpectAsync(rig, ["a", "b", .. written.Split('\n', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.Single(rig.Log.Lines, static line => line.Contains("the rest is read from its copy", StringComparison.Ordinal));
    });

    [Fact]
    public void What_was_not_read_of_a_file_is_read_from_its_copies_one_after_the_other_also_after_a_restart() => WithoutBroker(async rig =>
    {
        await SeenAsync(rig, "a\nb\n");
        for (int i = 0; i < 3; i++)
        {
            rig.Append(rig.Read(AgentRig.LogPath), $"{AgentRig.LogPath}.{9 - i}");
            rig.Truncate();
            rig.Append($"c{i}\n");
            await rig.PassAsync(TimeSpan.FromSeconds(1));
        }
        rig.Kill();
        await rig.StartAsync();
        await ExpectAsync(rig, ["a", "b", "c0", "c1", "c2"]);
    });

    [Fact]
    public void What_was_cut_before_it_was_read_and_copied_nowhere_is_told() => WithoutBroker(async rig =>
    {
        await SeenAsync(rig, "a\nb\n");
        rig.Append("a\nlike it\n", "/logs/other");
        rig.Truncate();
        rig.Append("c\n");
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await ExpectAsync(rig, ["c"]);
        Assert.Single(rig.Log.Lines, static line => line.Contains("4 bytes seen behind it are gone", StringComparison.Ordinal));
    });

    [Fact]
    public void An_earlier_copy_that_begins_alike_is_not_taken_for_the_copy() => WithoutBroker(async rig =>
    {
        rig.Append("head\nold\n", Copy);
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await SeenAsync(rig, "head\na\n");
        rig.Truncate();
        rig.Append("c\n");
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await ExpectAsync(rig, ["c"]);
    });

    [Fact]
    public void A_file_whose_writer_fills_what_it_reserved_is_not_cut() => WithoutBroker(async rig =>
    {
        rig.Append(new byte[5000]);
        await rig.StartAsync();
        using (IFile file = rig.Machine.Open(AgentRig.LogPath, FileOpenMode.ReadWrite))
        {
            file.Write("a\nb"u8, 0);
            await rig.PassAsync(TimeSpan.FromSeconds(1));
            file.Write("b\nc\n"u8, 3);
            file.SetLength(7);
        }
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await ExpectAsync(rig, ["a", "bb", "c"]);
        Assert.DoesNotContain(rig.Log.Lines, static line => line.Contains("truncated", StringComparison.Ordinal));
    });

    private static void WithoutBroker(Func<AgentRig, Task> test) => AgentRig.OnOneThread(rig =>
    {
        rig.Broker.IsDown = true;
        return test(rig);
    });

    private static async Task SeenAsync(AgentRig rig, string text)
    {
        rig.Append(text);
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(1));
    }

    /// <summary>The broker is there: these lines and no others come.</summary>
    private static async Task ExpectAsync(AgentRig rig, string[] lines)
    {
        rig.Broker.IsDown = false;
        await rig.UntilLinesAsync(lines.Length);
        await rig.PassAsync(rig.Options.CopyWait * 1.5);
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp, "caught up");
        Assert.Equal(lines, rig.Lines());
        await rig.StopAsync();
    }
}
