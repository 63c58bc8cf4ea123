using LogPipeline.Agent.Tests.Scripted;
using static LogPipeline.Agent.Tests.Tailing.Rotations;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>
/// Files that were begun and rotated again between two looks of an agent that no watch tells of it, as on network file systems, where all watches are used up,
/// or where the kernel's queue of changes has overflowed. No pattern takes their names.
/// </summary>
public sealed class MissedBetweenLooksTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(100);

    [Theory]
    [InlineData("rename")]
    [InlineData("copytruncate")]
    [InlineData("dates")]
    [InlineData("counts of a day")]
    public void Each_is_read_once_and_in_order(string how) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append(Text("read", 1, 20));
        await rig.StartAsync();
        await rig.UntilLinesAsync(20);
        await rig.PassAsync(Soon);
        rig.Append(Text("rest", 1, 20));
        for (int rotation = 1; rotation <= 4; rotation++)
        {
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            Rotate(rig, how, rotation);
            rig.Append(Text($"missed {rotation}", 1, 20));
        }
        await rig.UntilLinesAsync(120);
        Assert.Equal([.. Lines("read", 20), .. Lines("rest", 20), .. Enumerable.Range(1, 4).SelectMany(n => Lines($"missed {n}", 20))], rig.Lines());
        Assert.Equal([Log], rig.Broker.FileHeaders());
        await rig.StopAsync();
        await rig.StartAsync();
        await rig.PassAsync(Soon);
        Assert.Equal(120, rig.Lines().Count);
        await rig.StopAsync();
    });

    [Fact]
    public void Those_of_a_path_that_named_nothing_before_are_read() => AgentRig.OnOneThread(async rig =>
    {
        await rig.StartAsync();
        await rig.PassAsync(Soon);
        for (int rotation = 1; rotation <= 3; rotation++)
        {
            rig.Append($"missed {rotation}\n");
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            Rotate(rig, "rename", rotation);
        }
        rig.Append("new\n");
        await rig.UntilLinesAsync(4);
        Assert.Equal(["missed 1", "missed 2", "missed 3", "new"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void Those_of_a_moment_in_which_the_clock_was_set_back_are_read() => AgentRig.OnOneThread(async rig =>
    {
        rig.Time.WallOffset = TimeSpan.FromDays(1);
        rig.Append("read\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Time.WallOffset = TimeSpan.Zero;
        for (int rotation = 1; rotation <= 3; rotation++)
        {
            Rotate(rig, "rename", rotation);
            rig.Append($"missed {rotation}\n");
        }
        await rig.UntilLinesAsync(4);
        Assert.Equal(["read", "missed 1", "missed 2", "missed 3"], rig.Lines());
        await rig.StopAsync();
    });

    /// <summary>The broker is away meanwhile, and comes back before the look after: what the file holds then is read at once.</summary>
    [Fact]
    public void The_copy_of_one_that_was_empty_two_looks_ago_is_read() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { SweepInterval = TimeSpan.FromMinutes(1) };
        rig.Broker.IsDown = true;
        rig.Append("");
        await rig.StartAsync();
        await rig.PassAsync(Soon);
        rig.Append("missed 1\n");
        await rig.PassAsync(rig.Options.SweepInterval);
        Rotate(rig, "copytruncate", 1);
        rig.Append("new, and longer than what was there before\n");
        rig.Broker.IsDown = false;
        await rig.UntilLinesAsync(2);
        Assert.Equal(["missed 1", "new, and longer than what was there before"], rig.Lines().Order(StringComparer.Ordinal));
        await rig.StopAsync();
    });

    /// <summary>The file was cut after its copy, and has a later name than that when the next look comes, or the agent's next start.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public void The_copy_of_one_that_was_empty_is_read_though_that_was_rotated_since(bool isUp, bool isCompressed) => AgentRig.OnOneThread(async rig =>
    {
        const string Copy = Log + "-20261128-000005";
        rig.Append("");
        await rig.StartAsync();
        await rig.PassAsync(Soon);
        if (!isUp)
        {
            await rig.StopAsync();
        }
        rig.Append("missed\n");
        rig.Append(rig.Read(Log), Copy);
        rig.Truncate();
        if (isCompressed)
        {
            rig.Compress(Copy, Copy + ".gz");
        }
        rig.Append("second\n");
        rig.Machine.Rename(Log, Log + "-20261128-000006");
        rig.Append("third\n");
        if (!isUp)
        {
            await rig.StartAsync();
        }
        await rig.UntilLinesAsync(3);
        Assert.Equal(["missed", "second", "third"], rig.Lines().Order(StringComparer.Ordinal));
        await rig.StopAsync();
    });

    [Fact]
    public void Where_the_last_one_is_deleted_what_was_made_since_is_read() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("of long ago\n", Log + ".9");
        rig.Time.Advance(TimeSpan.FromHours(1));
        rig.Append("read\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.PassAsync(TimeSpan.FromMinutes(2));
        for (int rotation = 1; rotation <= 3; rotation++)
        {
            Rotate(rig, "rename", rotation);
            rig.Append($"missed {rotation}\n");
        }
        rig.Machine.Delete(Log + ".3");
        await rig.UntilLinesAsync(4);
        Assert.Equal(["read", "missed 1", "missed 2", "missed 3"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void Copies_of_what_was_read_and_older_files_are_no_missed_ones() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("of long ago\n", Log + ".5");
        rig.Time.Advance(TimeSpan.FromHours(1));
        rig.Append(Text("read", 1, 20));
        await rig.StartAsync();
        await rig.UntilLinesAsync(20);
        await rig.PassAsync(TimeSpan.FromMinutes(2));
        rig.Append(Text("read", 1, 20), Log + ".20261128"); // an administrator's copy of the file
        rig.Append("touched\n", Log + ".5");
        Rotate(rig, "rename", 1);
        rig.Append("new\n");
        rig.Append("new\n", Log + ".2"); // and one of its next one
        await rig.UntilLinesAsync(21);
        await rig.PassAsync(Soon);
        Assert.Equal([.. Lines("read", 20), "new"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void One_that_is_compressed_already_is_told_and_counted() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("read\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Append("missed\n", Log + ".1");
        rig.Machine.Rename(Log, Log + ".2");
        rig.Compress(Log + ".1", Log + ".1.gz");
        rig.Compress(Log + ".2", Log + ".2.gz");
        rig.Append("new\n");
        await rig.UntilLinesAsync(2);
        await rig.PassAsync(Soon);
        Assert.Equal(["read", "new"], rig.Lines());
        Assert.Equal(1, rig.Log.Count("access.log.1.gz was begun, rotated and compressed between two looks"));
        Assert.Equal(1, rig.Log.Count("between two looks"));
        await rig.StopAsync();
    });

    /// <summary>The agent's last write of its state may be later than all that a file holds that no look has seen.</summary>
    [Fact]
    public void One_that_was_begun_and_rotated_just_before_a_kill_is_read() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { SweepInterval = TimeSpan.FromSeconds(5) };
        rig.Append("read\n");
        await rig.StartAsync();
        rig.Machine.Rename(Log, Log + ".2");
        rig.Append("missed\n", Log + ".1");
        await rig.PassAsync(TimeSpan.FromSeconds(1)); // in which the first line is acked, which the state says then
        Assert.Equal(["read"], rig.Lines());
        rig.Kill();
        rig.Machine.Delete(Log + ".2");
        rig.Append("new\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(3);
        Assert.Equal(["read", "missed", "new"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void Changes_that_a_watch_missed_lose_nothing() => AgentRig.OnOneThread(async rig =>
    {
        var watch = new ScriptedWatch();
        rig.Watch = watch;
        rig.Append("read\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        for (int rotation = 1; rotation <= 3; rotation++)
        {
            Rotate(rig, "rename", rotation);
            rig.Append($"missed {rotation}\n");
        }
        watch.Hint!(null);
        await rig.UntilLinesAsync(4);
        Assert.Equal(["read", "missed 1", "missed 2", "missed 3"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void Many_rotations_with_kills_lose_and_repeat_nothing()
    {
        for (int seed = 1; seed <= 60; seed++)
        {
            var random = new Random(seed);
            AgentRig.OnOneThread(async rig =>
            {
                List<string> written = [];
                string how = new[] { "rename", "copytruncate", "dates", "counts of a day" }[random.Next(4)];
                int rotations = 0;
                for (int run = 1; run <= 4; run++)
                {
                    await rig.StartAsync();
                    await rig.PassAsync(TimeSpan.FromMilliseconds(1));
                    for (int burst = random.Next(1, 5); burst > 0; burst--)
                    {
                        for (int missed = random.Next(4); missed > 0; missed--)
                        {
                            Write(rig, random, written);
                            rig.Time.Advance(TimeSpan.FromSeconds(random.Next(1, 10)));
                            Rotate(rig, how, ++rotations);
                        }
                        Write(rig, random, written);
                        await rig.PassAsync(TimeSpan.FromMilliseconds(random.Next(400)));
                    }
                    rig.Kill();
                }
                await rig.StartAsync();
                for (int looks = 0; looks < 1200 && (!rig.Agent.IsCaughtUp || rig.Stored().Count < written.Count); looks++)
                {
                    await rig.PassAsync(Soon);
                }
                List<string> stored = rig.Stored();
                Assert.True(
                    written.Order().SequenceEqual(stored.Order()),
                    $"seed {seed}, {how}: missing {string.Join(", ", written.Except(stored))}; repeated {string.Join(", ", stored.GroupBy(static line => line).Where(static line => line.Count() > 1).Select(static line => line.Key))}");
                await rig.StopAsync();
            });
        }

        static void Write(AgentRig rig, Random random, List<string> written)
        {
            for (int lines = random.Next(1, 30); lines > 0; lines--)
            {
                written.Add($"line {written.Count} of many that are written while no look shows them");
                rig.Append(written[^1] + "\n");
            }
        }
    }
}
