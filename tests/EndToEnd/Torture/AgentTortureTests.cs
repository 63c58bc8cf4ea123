using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Torture;

/// <summary>
/// What breaks other agents, done to a real one: each line is in the topic once. LOGPIPE_TORTURE=full runs the long forms, LOGPIPE_E2E_SEED chooses
/// the times of the kills.
/// </summary>
public sealed class AgentTortureTests
{
    private static readonly bool IsFull = Environment.GetEnvironmentVariable("LOGPIPE_TORTURE") == "full";

    private static readonly int Seed = int.TryParse(Environment.GetEnvironmentVariable("LOGPIPE_E2E_SEED"), out int seed) ? seed : 1;

    /// <summary>As fast as a rotation by size may follow another: every 0.4 s at 50,000 lines a second.</summary>
    private const int LinesPerFile = 20_000;

    [Fact]
    public async Task Killed_again_and_again_in_the_middle_of_its_work()
    {
        int kills = IsFull ? 100 : 6;
        int lines = IsFull ? 10_000 : 5_000;
        var random = new Random(Seed);
        await using TortureRig rig = await TortureRig.BeginAsync("app.log");
        var log = new NumberedLog(rig.LogPath, Rotation.None, int.MaxValue, 0);
        for (int kill = 0; kill < kills; kill++)
        {
            await log.WriteAsync(lines / 2, 0);
            await rig.StartAgentAsync();
            Task writing = log.WriteAsync(lines / 2, 50_000);
            await Task.Delay(random.Next(300));
            await rig.KillAgentAsync();
            await writing;
        }
        await rig.StartAgentAsync();
        await rig.EachOnceAsync(log.Written);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rotated_as_fast_as_a_busy_server_does(bool isCopied)
    {
        int lines = IsFull ? 400_000 : 80_000;
        // What copytruncate cuts before it is read is in the copy.
        await using TortureRig rig = await TortureRig.BeginAsync(isCopied ? "app.log*" : "app.log");
        var log = new NumberedLog(rig.LogPath, isCopied ? Rotation.CopyTruncate : Rotation.Rename, LinesPerFile, 3);
        await log.WriteAsync(1, 0);
        await rig.StartAgentAsync();
        await log.WriteAsync(lines - 1, 50_000);
        await rig.EachOnceAsync(lines);
    }

    /// <summary>No pattern matches the rotated names: files come and go before the agent gets to run.</summary>
    [Fact]
    public async Task Rotated_again_and_again_while_it_is_held_up()
    {
        await using TortureRig rig = await TortureRig.BeginAsync("app.log");
        var log = new NumberedLog(rig.LogPath, Rotation.Rename, 1_000, 10);
        await rig.StartAgentOnAsync(log, 100);
        for (int round = 0; round < 3; round++)
        {
            await rig.WhileFrozenAsync(() => log.WriteAsync(4_321, 0));
            await rig.UntilSentAsync(log.Written);
        }
        Assert.DoesNotContain("made and deleted", rig.Errors, StringComparison.Ordinal);
        await rig.EachOnceAsync(log.Written);
    }

    [Fact]
    public async Task Rotated_away_while_it_is_held_up()
    {
        await using TortureRig rig = await TortureRig.BeginAsync("app.log");
        var log = new NumberedLog(rig.LogPath, Rotation.Rename, 1_000, 1);
        await rig.StartAgentOnAsync(log, 100);
        await rig.WhileFrozenAsync(() => log.WriteAsync(4_000, 0));
        // The file that was open and the last two; those between them are gone.
        await rig.UntilSentAsync(2_100);
        await Deadline.UntilAsync(TimeSpan.FromMinutes(1), () => Task.FromResult(rig.Errors.Contains("made and deleted", StringComparison.Ordinal)), () => rig.Errors);
        Assert.Contains("what it held is lost", rig.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rotated_while_it_is_stopped()
    {
        await using TortureRig rig = await TortureRig.BeginAsync("app.log*");
        var log = new NumberedLog(rig.LogPath, Rotation.Rename, 1_000, 20);
        await rig.StartAgentOnAsync(log, 1_500);
        for (int round = 0; round < 3; round++)
        {
            await rig.KillAgentAsync();
            await log.WriteAsync(2_250, 0);
            await rig.StartAgentAsync();
        }
        await rig.EachOnceAsync(log.Written);
    }

    [Fact]
    public async Task Rotated_and_compressed_while_it_is_stopped()
    {
        await using TortureRig rig = await TortureRig.BeginAsync("app.log");
        var log = new NumberedLog(rig.LogPath, Rotation.Rename, 2_000, 5);
        await rig.StartAgentOnAsync(log, 1_500);
        await rig.KillAgentAsync();
        await log.WriteAsync(1_000, 0);
        (int status, _, string errors) = await RealProcess.RunAsync("gzip", Path.GetDirectoryName(rig.LogPath)!, [rig.LogPath + ".1"]);
        Assert.True(status == 0, errors);
        await rig.StartAgentAsync();
        await rig.EachOnceAsync(log.Written);
        Assert.Contains("it is read on there at byte", rig.Errors, StringComparison.Ordinal);
    }

    /// <summary>The rotated files are deleted while the broker is away: the agent holds them open until they are read.</summary>
    [Fact]
    public async Task The_broker_is_away_while_files_are_rotated_away()
    {
        int seconds = IsFull ? 60 : 4;
        await using TortureRig rig = await TortureRig.BeginAsync("app.log");
        var log = new NumberedLog(rig.LogPath, Rotation.Rename, 5_000, 2);
        await log.WriteAsync(100, 0);
        await rig.StartAgentAsync();
        await log.WriteAsync(10_000, 10_000);
        await rig.KillBrokerAsync();
        await log.WriteAsync(10_000 * seconds, 10_000);
        await rig.StartBrokerAsync();
        await log.WriteAsync(10_000, 10_000);
        await rig.EachOnceAsync(log.Written);
    }

    /// <summary>Each file is deleted once it is read, and the next one gets its inode.</summary>
    [Fact]
    public async Task Inodes_are_used_again()
    {
        int files = IsFull ? 500 : 20;
        await using TortureRig rig = await TortureRig.BeginAsync("app.log");
        var log = new NumberedLog(rig.LogPath, Rotation.None, int.MaxValue, 0);
        await rig.StartAgentAsync();
        for (int i = 0; i < files; i++)
        {
            await log.WriteAsync(1 + (i % 3), 0);
            await rig.UntilSentAsync(log.Written);
            File.Delete(rig.LogPath);
        }
        await rig.EachOnceAsync(log.Written);
    }
}
