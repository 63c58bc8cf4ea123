using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Testing.Files;
using static LogPipeline.Agent.Tests.Tailing.Rotations;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Files that were begun and rotated again while the agent was away, under names that no pattern takes.</summary>
public sealed class MissedRotationsTests
{
    [Theory]
    [InlineData("rename")]
    [InlineData("copytruncate")]
    [InlineData("compress")]
    [InlineData("copytruncate, compress")]
    [InlineData("dates")]
    [InlineData("counts of a day")]
    [InlineData("rising counts")]
    public void Each_is_read_once_and_in_order_however_it_was_rotated(string how) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append(Text("read", 1, 20));
        await rig.StartAsync();
        await rig.UntilLinesAsync(20);
        await rig.StopAsync();
        rig.Append(Text("rest", 1, 20));
        for (int rotation = 1; rotation <= 4; rotation++)
        {
            rig.Time.Advance(TimeSpan.FromHours(24));
            Rotate(rig, how, rotation);
            rig.Append(Text($"missed {rotation}", 1, 20));
        }
        await rig.StartAsync();
        await rig.UntilLinesAsync(120);
        string[] expected = [.. Lines("read", 20), .. Lines("rest", 20), .. Enumerable.Range(1, 4).SelectMany(n => Lines($"missed {n}", 20))];
        Assert.Equal(expected, rig.Lines());
        Assert.Equal([Log], rig.Broker.FileHeaders());
        await rig.StopAsync();
        // What was missed once is known from then on.
        rig.Append("new\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(121);
        Assert.Equal([.. expected, "new"], rig.Lines());
        await rig.StopAsync();
    });

    /// <summary>What was read stands in the batches that are kept, byte for byte; what the application wrote after the crash is new.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("after the crash\n")]
    public void One_that_a_crash_of_the_host_cut_and_that_was_compressed_since_is_not_read_again(string written) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append(Text("read", 1, 40));
        await rig.StartAsync();
        await rig.UntilLinesAsync(40);
        rig.Kill();
        rig.Truncate();
        rig.Append(string.Concat(Lines("read", 40).Take(35).Select(static line => line + "\n")) + written);
        rig.Compress(Log, Log + ".2.gz");
        rig.Append(Text("missed", 1, 20), Log + ".1");
        rig.Append("new\n");
        rig.Options = rig.Options with { BootId = "b2" };
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Stored().Contains("new") && rig.Agent.IsCaughtUp, "all is stored");
        Assert.Equal([.. Lines("read", 40), .. written.Split('\n', StringSplitOptions.RemoveEmptyEntries), .. Lines("missed", 20), "new"], rig.Stored());
        await rig.StopAsync();
    });

    /// <summary>Lines that are written between copy and cut are read from the file, and are not in the copy.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(40)]
    public void A_copy_that_lacks_the_last_lines_read_and_was_compressed_at_once_is_not_read_again(int lines) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append(Text("read", 1, lines));
        await rig.StartAsync();
        await rig.UntilLinesAsync(lines);
        rig.Append(Text("read", 1, lines), Log + ".1");
        rig.Append("after the copy\n");
        await rig.UntilLinesAsync(lines + 1);
        rig.Truncate();
        rig.Compress(Log + ".1", Log + ".1.gz");
        rig.Append("second\n");
        await rig.UntilLinesAsync(lines + 2);
        rig.Machine.Delete(Log);
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await rig.StopAsync();
        await rig.StartAsync();
        rig.Append("new\n");
        await rig.UntilAsync(() => rig.Stored().Contains("new") && rig.Agent.IsCaughtUp, "all is stored");
        Assert.Equal([.. Lines("read", lines), "after the copy", "second", "new"], rig.Stored());
        await rig.StopAsync();
    });

    [Theory]
    [InlineData("rename")]
    [InlineData("dates")]
    [InlineData("rising counts")]
    public void Those_of_an_absence_in_which_the_clock_was_set_back_are_read(string how) => AgentRig.OnOneThread(async rig =>
    {
        rig.Time.WallOffset = TimeSpan.FromDays(1);
        rig.Append(Text("read", 1, 20));
        await rig.StartAsync();
        await rig.UntilLinesAsync(20);
        await rig.StopAsync();
        rig.Time.WallOffset = TimeSpan.Zero;
        rig.Append("rest\n");
        for (int rotation = 1; rotation <= 3; rotation++)
        {
            rig.Time.Advance(TimeSpan.FromHours(1));
            Rotate(rig, how, rotation);
            rig.Append(Text($"missed {rotation}", 1, 20));
        }
        await rig.StartAsync();
        await rig.UntilLinesAsync(81);
        Assert.Equal([.. Lines("read", 20), "rest", .. Enumerable.Range(1, 3).SelectMany(n => Lines($"missed {n}", 20))], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void Those_to_which_a_link_led_in_between_are_read() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("of long ago\n", "/logs/app.INFO.20261124-9");
        rig.Append("of another program\n", "/logs/app.WARN.20261125-9");
        rig.Time.Advance(TimeSpan.FromHours(1));
        rig.Append("read\n", "/logs/app.INFO.20261125-9");
        rig.Disk.Links[Log] = "/logs/app.INFO.20261125-9";
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.StopAsync();
        rig.Append("rest\n", "/logs/app.INFO.20261125-9");
        for (int day = 26; day <= 28; day++)
        {
            rig.Time.Advance(TimeSpan.FromHours(24));
            rig.Append("of another program\n", "/logs/app.WARN.20261125-9");
            rig.Append($"missed {day}\n", $"/logs/app.INFO.202611{day}-10");
            rig.Disk.Links[Log] = $"/logs/app.INFO.202611{day}-10";
        }
        await rig.StartAsync();
        await rig.UntilLinesAsync(5);
        Assert.Equal(["read", "rest", "missed 26", "missed 27", "missed 28"], rig.Lines());
        Assert.Equal([Log], rig.Broker.FileHeaders());
        await rig.StopAsync();
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(5, rig.Lines().Count);
        await rig.StopAsync();
    });

    [Fact]
    public void Where_the_last_one_is_deleted_what_was_written_since_is_read() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("of long ago\n", Log + ".9");
        rig.Time.Advance(TimeSpan.FromHours(1));
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.StopAsync();
        for (int rotation = 1; rotation <= 4; rotation++)
        {
            rig.Time.Advance(TimeSpan.FromHours(24));
            Rotate(rig, "rename", rotation);
            rig.Append($"missed {rotation}\n");
        }
        rig.Machine.Delete(Log + ".4");
        await rig.StartAsync();
        await rig.UntilLinesAsync(5);
        Assert.Equal(["a", "missed 1", "missed 2", "missed 3", "missed 4"], rig.Lines());
        Assert.Equal(1, rig.Log.Count("gone while the agent was away"));
        await rig.StopAsync();
    });

    [Fact]
    public void Copies_of_what_was_read_and_older_files_are_no_missed_ones() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("of long ago\n", Log + ".5");
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        rig.Time.Advance(TimeSpan.FromHours(24));
        Rotate(rig, "copytruncate", 1);
        rig.Append("c\n");
        await rig.UntilLinesAsync(3);
        rig.Time.Advance(TimeSpan.FromHours(24));
        Rotate(rig, "copytruncate", 2);
        rig.Append("d\n");
        await rig.UntilLinesAsync(4);
        await rig.StopAsync();
        rig.Time.Advance(TimeSpan.FromHours(24));
        Rotate(rig, "rename", 3);
        rig.Append("of the administrator\n", Log + ".old");
        rig.Append("e\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(5);
        rig.Append("f\n");
        await rig.UntilLinesAsync(6);
        Assert.Equal(["a", "b", "c", "d", "e", "f"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void Many_absences_with_kills_lose_and_repeat_nothing()
    {
        for (int seed = 1; seed <= 40; seed++)
        {
            var random = new Random(seed);
            AgentRig.OnOneThread(async rig =>
            {
                List<string> written = [];
                string how = new[] { "rename", "copytruncate", "compress", "dates", "counts of a day", "rising counts" }[random.Next(6)];
                int rotations = 0;
                for (int run = 1; run <= 4; run++)
                {
                    await rig.StartAsync();
                    await AtWorkAsync(rig, random, written);
                    if (random.Next(2) == 0)
                    {
                        await StoredAsync(rig, written, $"seed {seed}, {how}, run {run}");
                        await rig.StopAsync();
                    }
                    else
                    {
                        rig.Kill();
                    }
                    for (int missed = random.Next(4); missed > 0; missed--)
                    {
                        Write(rig, random, written);
                        rig.Time.Advance(TimeSpan.FromSeconds(10));
                        Rotate(rig, how, ++rotations);
                    }
                    Write(rig, random, written);
                }
                await rig.StartAsync();
                await StoredAsync(rig, written, $"seed {seed}, {how}, at the end");
                await rig.StopAsync();
            });
        }

        static async Task StoredAsync(AgentRig rig, List<string> written, string when)
        {
            for (int looks = 0; looks < 1200 && (!rig.Agent.IsCaughtUp || rig.Stored().Count < written.Count); looks++)
            {
                await rig.PassAsync(TimeSpan.FromMilliseconds(100));
            }
            List<string> stored = rig.Stored();
            Assert.True(
                written.Order().SequenceEqual(stored.Order()),
                $"{when}: missing {string.Join(", ", written.Except(stored))}; repeated {string.Join(", ", stored.GroupBy(static line => line).Where(static line => line.Count() > 1).Select(static line => line.Key))}");
        }

        static async Task AtWorkAsync(AgentRig rig, Random random, List<string> written)
        {
            for (int more = random.Next(1, 4); more > 0; more--)
            {
                Write(rig, random, written);
                await rig.PassAsync(TimeSpan.FromMilliseconds(random.Next(400)));
            }
        }

        static void Write(AgentRig rig, Random random, List<string> written)
        {
            for (int lines = random.Next(1, 30); lines > 0; lines--)
            {
                written.Add($"line {written.Count} of many that are written while the agent may be away");
                rig.Append(written[^1] + "\n");
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_start_that_is_killed_or_held_up_by_a_full_disk_begins_each_once(bool isRotatedMeanwhile) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append(Text("read", 1, 20));
        await rig.StartAsync();
        await rig.UntilLinesAsync(20);
        await rig.StopAsync();
        for (int rotation = 1; rotation <= 4; rotation++)
        {
            rig.Time.Advance(TimeSpan.FromHours(24));
            Rotate(rig, "compress", rotation);
            rig.Append(Text($"missed {rotation}", 1, 200));
        }
        bool isFull = true;
        rig.BeforeFileCall = call =>
        {
            if (isFull && call.Operation == FileOperation.Write && call.Path.EndsWith(".2.gz", StringComparison.Ordinal))
            {
                throw new IOException("No space left on device");
            }
        };
        Task started = rig.StartAsync();
        await rig.UntilAsync(() => rig.Log.Count("cannot be unpacked: No space left on device") == 1, "the full disk is told");
        if (isRotatedMeanwhile)
        {
            Rotate(rig, "compress", 5);
        }
        isFull = false;
        await started;
        await rig.UntilAsync(() => rig.Lines().Count > 50, "a part is read");
        rig.Kill();
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp && rig.Stored().Count >= 820, "all is read");
        Assert.Equal([.. Lines("read", 20), .. Enumerable.Range(1, 4).SelectMany(n => Lines($"missed {n}", 200))], rig.Stored());
        await rig.UntilAsync(() => rig.Machine.List("/state/unpacked").Count == 0, "what is read is no longer unpacked");
        await rig.StopAsync();
    });

    [Fact]
    public void No_more_files_are_held_open_than_may_be_and_all_are_read() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { OpenFilesMax = 4 };
        string[] logs = [.. Enumerable.Range(0, 12).Select(static i => $"/logs/app-{i}.log")];
        foreach (string log in logs)
        {
            rig.Append(Text(log, 1, 2), log);
        }
        await rig.StartAsync();
        await rig.UntilLinesAsync(24);
        await rig.StopAsync();
        foreach (string log in logs)
        {
            rig.Append("rest\n", log);
            rig.Machine.Rename(log, log + ".2");
            rig.Append("missed\n", log + ".1");
            rig.Append("new\n", log);
        }
        bool away = true;
        rig.Broker.Fate = _ => away ? ProduceFate.DropConnection : ProduceFate.Take;
        int told = rig.Log.Count("Raise open_files_max");
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Log.Count("Raise open_files_max") > told, "the bound is told");
        await rig.UntilAsync(() => rig.Agent.Describe().Split(" closed").Length - 1 == 36 - 4, "the bound is kept");
        away = false;
        await rig.UntilLinesAsync(60);
        foreach (string of in new[] { "rest", "missed", "new" })
        {
            Assert.Equal(12, rig.Lines().Count(line => line == of));
        }
        await rig.StopAsync();
    });

    [Fact]
    public void What_may_be_the_file_that_was_read_is_told_and_read_on() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.StopAsync();
        rig.Append("rest\n");
        for (int rotation = 1; rotation <= 3; rotation++)
        {
            rig.Time.Advance(TimeSpan.FromHours(24));
            Rotate(rig, "compress", rotation);
            rig.Append($"begin {rotation}\nmissed {rotation}\n");
        }
        await rig.StartAsync();
        await rig.UntilLinesAsync(8);
        Assert.Equal(["a", "rest", "begin 1", "missed 1", "begin 2", "missed 2", "begin 3", "missed 3"], rig.Lines());
        Assert.Equal(1, rig.Log.Count("access.log.3.gz is taken for what became of it and read on at byte 2"));
        await rig.StopAsync();
    });

    [Fact]
    public void An_archive_that_cannot_be_unpacked_is_told() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.StopAsync();
        rig.Machine.Rename(Log, Log + ".2");
        rig.Time.Advance(TimeSpan.FromHours(24));
        rig.Append("BZh91AY&SY", Log + ".1.bz2");
        rig.Append("b\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        Assert.Equal(["a", "b"], rig.Lines());
        Assert.Equal(1, rig.Log.Count("it is neither gzip nor zstd"));
        await rig.StopAsync();
    });
}
