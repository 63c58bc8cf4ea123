using LogPipeline.Agent.Tests.Scripted;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>NUL bytes that nobody wrote as text: what a writer reserves behind its last line, and the hole that a truncation leaves before its next.</summary>
public sealed class NulTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3_000)]
    [InlineData(700_000)]
    public void Lines_written_over_reserved_bytes_are_read_once_each(int reserved) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("line 1\n");
        rig.Append(new byte[reserved]);
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        int at = "line 1\n".Length;
        for (int i = 2; i <= 8; i++)
        {
            byte[] line = System.Text.Encoding.UTF8.GetBytes($"line {i}\n");
            using (Files.IFile file = rig.Machine.Open(AgentRig.LogPath, Files.FileOpenMode.ReadWrite))
            {
                file.Write(line, at);
            }
            at += line.Length;
            await rig.UntilLinesAsync(i);
        }
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(Enumerable.Range(1, 8).Select(i => $"line {i}"), rig.Lines());
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(5_000, false)]
    [InlineData(1_500_000, false)]
    [InlineData(1_500_000, true)]
    public void A_hole_before_a_line_is_left_out_and_told(int hole, bool isRestarted) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("before\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Append(new byte[hole]);
        await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        if (isRestarted)
        {
            rig.Kill();
            await rig.StartAsync();
        }
        rig.Append("after 1\nafter 2\n");
        await rig.UntilLinesAsync(3);
        Assert.Equal(["before", "after 1", "after 2"], rig.Lines());
        Assert.Equal(1, rig.Log.Count("NUL bytes from byte 7 on are left out"));
        (Contract.RecordPosition position, _) = rig.Broker.Records()[1];
        Assert.Equal((7L, 7L + hole), (position.CoveredBegin, position.LineBegin));
        await rig.StopAsync();
    });

    [Fact]
    public void A_few_NUL_bytes_are_a_part_of_their_line() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n\0\0b\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        Assert.Equal(["a", "\0\0b"], rig.Lines());
        rig.Append("\0");
        await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        rig.Append("c\n");
        await rig.UntilLinesAsync(3);
        Assert.Equal("\0c", rig.Lines()[2]);
        await rig.StopAsync();
    });

    [Fact]
    public void A_renamed_file_that_ends_in_reserved_bytes_is_finished() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("line\n");
        rig.Append(new byte[5000]);
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Machine.Rename(AgentRig.LogPath, "/logs/old");
        rig.Append("new\n");
        await rig.UntilLinesAsync(2);
        await rig.UntilAsync(() => rig.Agent.FilesFollowed == 1, "the renamed file is finished");
        Assert.Equal(["line", "new"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_byte_order_mark_is_no_part_of_the_first_line() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append([0xef, 0xbb, 0xbf, (byte)'a']);
        await rig.StartAsync();
        rig.Append("b\nc\n");
        await rig.UntilLinesAsync(2);
        Assert.Equal(["ab", "c"], rig.Lines());
        await rig.StopAsync();
    });
}
