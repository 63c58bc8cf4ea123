using LogPipeline.Agent.Tests.Scripted;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Files that wait for a broker that is away, and are compressed while the agent is away too.</summary>
public sealed class UnreadFilesCompressedTests
{
    private const string Log = AgentRig.LogPath;
    private const int Rotations = 4;

    [Theory]
    [InlineData(true, 20_000, false, false)]
    [InlineData(false, 20_000, false, false)]
    [InlineData(true, 300, false, false)]
    [InlineData(true, 1, false, false)]
    [InlineData(true, 300, true, false)]
    [InlineData(true, 300, false, true)]
    public void Each_line_is_sent_once_when_the_broker_is_back(bool isKilled, int lines, bool beginAlike, bool isWrittenLate) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("first\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.StopAsync();
        rig.Broker.IsDown = true;
        await rig.StartAsync();
        string banner = beginAlike ? string.Concat(Enumerable.Repeat("the application starts\n", 60)) : "";
        for (int rotation = 0; rotation < Rotations; rotation++)
        {
            rig.Append(banner + Text(rotation * lines, lines));
            await rig.PassAsync(TimeSpan.FromMinutes(1));
            Rotate(rig);
            await rig.PassAsync(TimeSpan.FromMinutes(1));
        }
        rig.Append("new\n");
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        if (isKilled)
        {
            rig.Kill();
        }
        else
        {
            await rig.StopAsync();
        }
        for (int n = 1; n <= Rotations; n++)
        {
            if (isWrittenLate)
            {
                rig.Append($"late {n}\n", $"{Log}.{n}");
            }
            rig.Compress($"{Log}.{n}", $"{Log}.{n}.gz");
        }
        rig.Broker.IsDown = false;
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Contains("new") && rig.Agent.IsCaughtUp, "the new line");
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        string[] written = ["first", .. Enumerable.Range(0, Rotations).SelectMany(n => (banner + Text(n * lines, lines)).TrimEnd().Split('\n')), .. Enumerable.Range(1, isWrittenLate ? Rotations : 0).Select(static n => $"late {n}"), "new"];
        Assert.Equal(written.Order(), rig.Lines().Order());
        Assert.Equal(0, rig.Log.Count("gone while the agent was away"));
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_that_was_idle_grows_and_is_deleted_before_the_broker_is_back(bool isRestarted) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("first\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        if (isRestarted)
        {
            await rig.StopAsync();
            rig.Broker.IsDown = true;
            await rig.StartAsync();
        }
        else
        {
            await rig.UntilAsync(() => rig.Agent.Describe().Contains("closed", StringComparison.Ordinal), "the idle file is closed");
            rig.Broker.IsDown = true;
            rig.Broker.Disconnect();
        }
        rig.Append("a\nb\n");
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        Rotate(rig);
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        rig.Machine.Delete(Log + ".1");
        rig.Append("new\n");
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        rig.Broker.IsDown = false;
        await rig.UntilLinesAsync(4);
        Assert.Equal(["first", "a", "b", "new"], rig.Lines());
        Assert.Equal(0, rig.Log.Count("gone"));
        await rig.StopAsync();
    });

    /// <summary>What was seen behind the lines that were read is not in the file any more, nor in its archive: these lines alone are what it is known by.</summary>
    [Fact]
    public void One_that_a_crash_of_the_host_cut_behind_what_was_read_is_known() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("first\nsecond\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        await rig.StopAsync();
        rig.Broker.IsDown = true;
        await rig.StartAsync();
        rig.Append(Text(0, 20));
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        rig.Kill();
        rig.Truncate();
        rig.Append("first\nsecond\nbegin of a li");
        rig.Options = rig.Options with { BootId = "b2" };
        await rig.StartAsync();
        rig.Machine.Rename(Log, $"{Log}.1");
        rig.Append("third\nfourth\n");
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        rig.Kill();
        rig.Append("ne\n", $"{Log}.1");
        rig.Compress($"{Log}.1", $"{Log}.1.gz");
        rig.Machine.Delete(Log);
        rig.Append("new\n");
        rig.Broker.IsDown = false;
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Contains("new") && rig.Agent.IsCaughtUp, "the new line");
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(["begin of a line", "first", "new", "second"], rig.Lines().Order(StringComparer.Ordinal));
        await rig.StopAsync();
    });

    private static void Rotate(AgentRig rig)
    {
        for (int n = Rotations - 1; n >= 1; n--)
        {
            if (rig.Machine.Stat($"{Log}.{n}") is not null)
            {
                rig.Machine.Rename($"{Log}.{n}", $"{Log}.{n + 1}");
            }
        }
        rig.Machine.Rename(Log, Log + ".1");
    }

    private static string Text(int from, int count) =>
        string.Concat(Enumerable.Range(from, count).Select(static i => $"line {i} of a file that is rotated while the broker is away\n"));
}
