using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Contract;
using LogPipeline.Files;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Files that are many, forbidden, binary or cut by a crash.</summary>
public sealed class OddFilesTests
{
    private const string Forbidden = "/logs/forbidden.log";

    [Fact]
    public void More_files_than_may_be_open_are_all_read() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { OpenFilesMax = 2 };
        List<string> expected = [];
        await rig.StartAsync();
        for (int round = 0; round < 3; round++)
        {
            for (int file = 0; file < 8; file++)
            {
                rig.Append($"{file}-{round}\n", $"/logs/{file}.log");
                expected.Add($"{file}-{round}");
            }
            await rig.UntilLinesAsync(expected.Count);
        }
        Assert.Equal(expected.Order(), rig.Lines().Order());
        Assert.True(rig.Agent.Describe().Split("closed").Length - 1 >= 6, rig.Agent.Describe());
        await rig.StopAsync();
    });

    [Fact]
    public void A_file_that_may_not_be_read_is_told_once_and_read_when_it_may() => AgentRig.OnOneThread(async rig =>
    {
        bool isForbidden = true;
        rig.BeforeFileCall = call =>
        {
            if (isForbidden && call is { Operation: FileOperation.Open, Path: Forbidden })
            {
                throw new IOException("Permission denied");
            }
        };
        rig.Append("secret\n", Forbidden);
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Append("b\n");
        await rig.UntilLinesAsync(2);
        Assert.Equal(["a", "b"], rig.Lines());
        Assert.Equal(1, rig.Log.Count($"{Forbidden}: cannot be read: Permission denied"));
        isForbidden = false;
        await rig.UntilLinesAsync(3);
        Assert.Equal("secret", rig.Lines()[2]);
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_whose_disk_fails_is_told_once_and_holds_up_no_other(bool isRestarted) => AgentRig.OnOneThread(async rig =>
    {
        const string Failing = "/logs/failing.log";
        rig.Append("a\n", Failing);
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.FailingRead = call => call.Path == Failing;
        rig.Append("b\n", Failing);
        await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        if (isRestarted)
        {
            rig.Kill();
            await rig.StartAsync();
        }
        rig.Append("c\n");
        await rig.UntilAsync(() => rig.Broker.Records().Count == 2, "the other file's line");
        await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        Assert.Equal(isRestarted ? 2 : 1, rig.Log.Count($"{Failing}: cannot be read: Input/output error"));
        rig.FailingRead = null;
        await rig.UntilLinesAsync(3);
        Assert.Equal(["a", "c", "b"], rig.Lines());
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_that_cannot_be_compared_after_a_crash_of_the_host_is_compared_once_it_can_be_read(bool isCut) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        rig.Kill();
        rig.Options = rig.Options with { BootId = "b2" };
        if (isCut)
        {
            using IFile file = rig.Machine.Open(AgentRig.LogPath, FileOpenMode.ReadWrite);
            file.SetLength(2);
        }
        rig.FailingRead = call => call.Path == AgentRig.LogPath;
        await rig.StartAsync();
        rig.Append("other\n", "/logs/other.log");
        await rig.UntilAsync(() => rig.Broker.Records().Count == 3, "the other file's line");
        rig.FailingRead = null;
        if (isCut)
        {
            // Only a start knows what the crash left.
            while (rig.Fault is null)
            {
                await rig.PassAsync(TimeSpan.FromMilliseconds(1));
            }
            Assert.Contains("a new start compares it", rig.TakeFault()!.Message, StringComparison.Ordinal);
            rig.Kill();
            await rig.StartAsync();
        }
        rig.Append("c\n");
        await rig.UntilLinesAsync(4);
        Assert.Equal(["a", "b", "other", "c"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_file_that_begins_as_what_a_crash_left_of_another_is_read_whole() => AgentRig.OnOneThread(async rig =>
    {
        const string Renamed = AgentRig.LogPath + ".1";
        rig.Append("line one\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Machine.Rename(AgentRig.LogPath, Renamed);
        await rig.PassAsync(TimeSpan.FromMilliseconds(10));
        rig.Kill();
        using (IFile file = rig.Machine.Open(Renamed, FileOpenMode.ReadWrite))
        {
            file.SetLength(1);
        }
        rig.Options = rig.Options with { BootId = "b2" };
        await rig.StartAsync();
        rig.Kill();
        rig.Machine.Delete(Renamed);
        rig.Append("line two\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        Assert.Equal(["line one", "line two"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_file_that_shares_only_the_middle_of_a_long_line_with_one_that_is_gone_is_read_whole() => AgentRig.OnOneThread(async rig =>
    {
        const string Other = "/logs/access-2.log";
        string longLine = new('x', 3000);
        rig.Broker.Fate = _ => ProduceFate.DropConnection;
        rig.Append($"first line\n{longLine}");
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Agent.Describe().Contains("read 2059", StringComparison.Ordinal), "two parts of the long line are read");
        await rig.PassAsync(TimeSpan.FromMilliseconds(20));
        rig.Kill();
        rig.Machine.Delete(AgentRig.LogPath);
        rig.Append($"other line\n{longLine}\n", Other);
        rig.Broker.Fate = _ => ProduceFate.Take;
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Count >= 3 + 4 && rig.Agent.IsCaughtUp, "both files' lines");
        Assert.Equal(1, rig.Lines().Count(line => line == "other line"));
        await rig.StopAsync();
    });

    [Fact]
    public void A_renamed_file_that_cannot_be_read_keeps_nobody_waiting() => AgentRig.OnOneThread(async rig =>
    {
        string first = new('a', 1000);
        rig.Append($"{first}\n{first}\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        // It is read from a KiB before its position on, and the new file at its path from 0.
        rig.FailingRead = call => call is { Path: AgentRig.LogPath or $"{AgentRig.LogPath}.1", Position: > 900 };
        rig.Append("b\n");
        rig.Machine.Rename(AgentRig.LogPath, $"{AgentRig.LogPath}.1");
        rig.Append("c\n", "/logs/new");
        rig.Machine.Rename("/logs/new", AgentRig.LogPath);
        await rig.UntilAsync(() => rig.Lines().Contains("c"), "the new file's line");
        Assert.DoesNotContain("b", rig.Lines());
        rig.FailingRead = null;
        await rig.UntilLinesAsync(4);
        Assert.Equal([first, first, "c", "b"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_cut_is_noticed_once_the_disk_that_failed_works() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.FailingRead = call => call.Path == AgentRig.LogPath;
        rig.Truncate();
        rig.Append("b\n");
        await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        Assert.Equal(1, rig.Log.Count($"{AgentRig.LogPath}: cannot be read: Input/output error"));
        rig.FailingRead = null;
        await rig.UntilLinesAsync(2);
        Assert.Equal(["a", "b"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_pipe_that_a_pattern_names_is_told_once_and_left_alone() => AgentRig.OnOneThread(async rig =>
    {
        rig.Machine.MakePipe("/logs/pipe.log");
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        // Also in the place of a file that was followed.
        rig.Machine.Delete(AgentRig.LogPath);
        rig.Machine.MakePipe(AgentRig.LogPath);
        rig.Append("b\n", "/logs/b.log");
        await rig.UntilLinesAsync(2);
        await rig.StopAsync();
        await rig.StartAsync();
        await rig.StopAsync();
        Assert.Equal(2, rig.Log.Count("/logs/pipe.log: cannot be read: it is no regular file"));
    });

    [Fact]
    public void A_directory_that_may_not_be_listed_is_told_once_and_its_files_are_read_once() => AgentRig.OnOneThread(async rig =>
    {
        bool isForbidden = true;
        rig.Machine.CreateDirectory("/logs/closed");
        rig.BeforeFileCall = call =>
        {
            if (isForbidden && call is { Operation: FileOperation.List, Path: "/logs/closed" })
            {
                throw new UnauthorizedAccessException("Permission denied");
            }
        };
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Paths = ["/logs/**/*.log"] }] };
        rig.Append("a\n", "/logs/closed/x.log");
        rig.Append("b\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        Assert.Equal(["b"], rig.Lines());
        Assert.Equal(1, rig.Log.Count("/logs/closed: cannot be read: Permission denied"));
        isForbidden = false;
        await rig.UntilLinesAsync(2);
        // What is followed stays so, in this process and the next.
        isForbidden = true;
        await rig.PassAsync(rig.Options.RotatedQuiet * 2);
        await rig.StopAsync();
        await rig.StartAsync();
        await rig.PassAsync(rig.Options.RotatedQuiet * 2);
        isForbidden = false;
        rig.Append("c\n", "/logs/closed/x.log");
        await rig.UntilLinesAsync(3);
        Assert.Equal(["b", "a", "c"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void Bytes_that_are_no_text_come_through_as_they_are() => AgentRig.OnOneThread(async rig =>
    {
        byte[][] lines = [[0, 0, 65, 0], [0xff, 0xfe, 0xc3], [0xed, 0xa0, 0x80], []];
        foreach (byte[] line in lines)
        {
            rig.Append([.. line, (byte)'\n']);
        }
        await rig.StartAsync();
        await rig.UntilLinesAsync(lines.Length);
        Assert.Equal(lines, rig.Broker.Records().Select(r => r.Value));
        await rig.StopAsync();
    });

    [Fact]
    public void A_line_of_five_megabytes_is_stored_as_parts_that_join_to_it() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { MaxLineBytes = 512 << 10 }], BatchBytes = 1_000_000 };
        byte[] line = new byte[5_000_000];
        new Random(1).NextBytes(line);
        line.AsSpan().Replace((byte)'\n', (byte)0);
        rig.Append("before\n");
        rig.Append([.. line, (byte)'\n']);
        rig.Append("after\n");
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp && rig.Lines()[^1] == "after", "the line after");
        List<(RecordPosition Position, byte[] Value)> parts = rig.Broker.Records()[1..^1];
        Assert.Equal(line, parts.SelectMany(p => p.Value));
        Assert.Equal(Enumerable.Range(1, parts.Count), parts.Select(p => p.Position.Part));
        Assert.All(parts, p => Assert.Equal("before\n".Length, p.Position.LineBegin));
        Assert.Equal([parts.Count], parts.Where(p => p.Position.IsLast).Select(p => p.Position.Part));
        await rig.StopAsync();
    });

    [Theory]
    [InlineData("a\nbb\n", "new\n", "a bb cc new")]
    [InlineData("a\nbb\nc", "ut\n", "a bb cc cut")]
    [InlineData("a\nbb\ncc", "\nd\n", "a bb cc  d")]
    [InlineData("a\nbX\nY\n", "Z\n", "a bb cc bX Y Z")]
    public void What_a_crash_of_the_host_left_is_not_read_again(string left, string then, string expected) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\nbb\ncc\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(3);
        rig.Kill();
        rig.Truncate();
        rig.Append(left);
        rig.Options = rig.Options with { BootId = "b2" };
        await rig.StartAsync();
        rig.Append(then);
        int count = expected.Split(' ').Length;
        await rig.UntilLinesAsync(count);
        Assert.Equal(expected.Split(' '), rig.Lines());
        Assert.Equal(1, rig.Log.Count("lost its end in a crash of the host"));
        await rig.StopAsync();
    });

    [Theory]
    [InlineData("a\nb\n")]
    [InlineData("a\r\nb\r\n")]
    public void What_two_crashes_of_the_host_left_is_not_read_again_though_the_first_took_but_a_line_feed(string lines) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append(lines);
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        string left = lines.TrimEnd();
        foreach ((string boot, string then) in new[] { ("b2", "c\n"), ("b3", "d\n") })
        {
            rig.Kill();
            rig.Truncate();
            rig.Append(left);
            rig.Options = rig.Options with { BootId = boot };
            int count = rig.Lines().Count;
            await rig.StartAsync();
            rig.Append(then);
            await rig.UntilLinesAsync(count + 1);
        }
        Assert.Equal(["a", "b", "c", "d"], rig.Lines());
        await rig.StopAsync();
    });
}
