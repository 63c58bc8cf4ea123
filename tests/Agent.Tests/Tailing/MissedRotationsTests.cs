using LogPipeline.Agent.Tailing;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Files;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Files that were begun and rotated again while the agent was away, under names that no pattern takes.</summary>
public sealed class MissedRotationsTests
{
    private const string Log = AgentRig.LogPath;

    [Theory]
    [InlineData("rename")]
    [InlineData("copytruncate")]
    [InlineData("compress")]
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

    [Theory]
    [InlineData("rename")]
    [InlineData("copytruncate")]
    [InlineData("compress")]
    [InlineData("dates")]
    [InlineData("counts of a day")]
    [InlineData("rising counts")]
    public void Those_of_a_time_in_which_the_path_was_not_wanted_are_read_when_it_is_again(string how) => AgentRig.OnOneThread(async rig =>
    {
        InputOptions wanted = rig.Options.Inputs[0];
        rig.Append(Text("read", 1, 20));
        await rig.StartAsync();
        await rig.UntilLinesAsync(20);
        await rig.StopAsync();
        rig.Options = rig.Options with { Inputs = [wanted with { Paths = ["/elsewhere/*.log"] }] };
        for (int rotation = 1; rotation <= 3; rotation++)
        {
            await rig.StartAsync();
            await rig.PassAsync(TimeSpan.FromSeconds(40));
            rig.Append(Text($"meanwhile {rotation}", 1, 20));
            await rig.PassAsync(TimeSpan.FromSeconds(40));
            Rotate(rig, how, rotation);
            await rig.PassAsync(TimeSpan.FromSeconds(20));
            await rig.StopAsync();
        }
        rig.Append("new\n");
        rig.Options = rig.Options with { Inputs = [wanted] };
        await rig.StartAsync();
        await rig.UntilLinesAsync(81);
        Assert.Equal([.. Lines("read", 20), .. Enumerable.Range(1, 3).SelectMany(n => Lines($"meanwhile {n}", 20)), "new"], rig.Lines());
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

    [Fact]
    public void A_start_that_is_killed_or_held_up_by_a_full_disk_begins_each_once() => AgentRig.OnOneThread(async rig =>
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

    [Theory]
    [InlineData("access.log.1", "access.log.2.gz", true)]
    [InlineData("access.log.10", "access.log.9", true)]
    [InlineData("access.log.9", "access.log.9.gz", false)]
    [InlineData("access.1.log", "access.2.log", true)]
    [InlineData("access.2.log", "access.log.1", false)]
    [InlineData("access.log-20261126", "access.log-20261125.zst", true)]
    [InlineData("access.log-20261125", "access.log-20261126", false)]
    [InlineData("access.log-2026112600", "access.log-2026112523", true)]
    [InlineData("access.log-2026112523", "access.log-2026112600", false)]
    [InlineData("access-2026-11-26.log", "access-2026-11-25.log.gz", true)]
    [InlineData("access-2026-11-25.12.log", "access-2026-11-26.3.log", false)]
    [InlineData("access-2026-11-26.10.log", "access-2026-11-26.9.log", true)]
    [InlineData("access-2026-11-26.1.log", "access-2026-11-26.log", true)]
    [InlineData("access.log.1", "access.log-20261125", false)]
    public void The_name_tells_which_may_have_been_rotated_later(string name, string other, bool mayBeLater) =>
        Assert.Equal(mayBeLater, RotationName.Of(name, "access.log")!.MayBeLaterThan(RotationName.Of(other, "access.log")!));

    [Theory]
    [InlineData("access.log")]
    [InlineData("access.log.old")]
    [InlineData("access.log.bak1")]
    [InlineData("access10.log")]
    [InlineData("access.log.")]
    [InlineData("error.log.1")]
    public void Other_names_tell_nothing(string name) => Assert.Null(RotationName.Of(name, "access.log"));

    private static string[] Lines(string of, int count) => [.. Enumerable.Range(1, count).Select(n => $"{of}: line {n} of {count}, long enough to be told from others")];

    private static string Text(string of, int from, int count) => string.Concat(Lines(of, count).Skip(from - 1).Select(static line => line + "\n"));

    private static void Rotate(AgentRig rig, string how, int rotation)
    {
        if (how == "dates")
        {
            rig.Machine.Rename(Log, $"{Log}-202611{rotation + 10}");
            return;
        }
        if (how == "counts of a day")
        {
            rig.Machine.Rename(Log, $"{Log}.2026-11-26.{rotation + 7}");
            return;
        }
        if (how == "rising counts")
        {
            rig.Machine.Rename(Log, $"{Log}.{rotation + 8}");
            if (rotation > 1)
            {
                rig.Compress($"{Log}.{rotation + 7}", $"{Log}.{rotation + 7}.gz");
            }
            return;
        }
        for (int n = rotation - 1; n >= 1; n--)
        {
            foreach (string suffix in new[] { "", ".gz" }.Where(suffix => rig.Machine.FileExists($"{Log}.{n}{suffix}")))
            {
                rig.Machine.Rename($"{Log}.{n}{suffix}", $"{Log}.{n + 1}{suffix}");
            }
        }
        if (how == "copytruncate")
        {
            rig.Append(System.Text.Encoding.UTF8.GetString(AtomicFile.ReadAll(rig.Machine, Log)!), Log + ".1");
            rig.Truncate();
        }
        else
        {
            rig.Machine.Rename(Log, Log + ".1");
        }
        if (how == "compress" && rotation > 1)
        {
            rig.Compress(Log + ".2", Log + ".2.gz"); // delaycompress
        }
    }
}
