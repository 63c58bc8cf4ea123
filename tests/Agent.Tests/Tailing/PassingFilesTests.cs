using LogPipeline.Agent.Tailing;
using LogPipeline.Agent.Tests.Scripted;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Files that have a wanted name only between two looks: rotated names match no pattern here.</summary>
public sealed class PassingFilesTests
{
    private const string Missed = "made and deleted before it could be opened";
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(100);

    [Fact]
    public void Files_that_are_rotated_before_a_look_finds_them_are_read_in_their_order() => AgentRig.OnOneThread(async rig =>
    {
        Writer writer = await Writer.StartAsync(rig, keep: 5);
        writer.Write("a");
        await rig.PassAsync(Soon);
        for (int i = 0; i < 4; i++)
        {
            writer.Rotate();
            writer.Write($"b{i}");
        }
        await rig.PassAsync(Soon);
        Assert.Equal(["a", "b0", "b1", "b2", "b3"], rig.Lines());
        Assert.DoesNotContain(rig.Log.Lines, static line => line.Contains(Missed, StringComparison.Ordinal));
        await rig.StopAsync();
    });

    /// <summary>The kernel's queue is read in pieces: a look comes between the changes, when the disk has them all.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Changes_that_come_behind_the_disk_lose_no_file(int atOnce) => AgentRig.OnOneThread(async rig =>
    {
        Writer writer = await Writer.StartAsync(rig, keep: 9);
        writer.Write("a");
        await rig.PassAsync(Soon);
        writer.HoldBack();
        for (int i = 0; i < 6; i++)
        {
            writer.Rotate();
            writer.Write($"b{i}");
        }
        while (writer.Release(atOnce))
        {
            await rig.PassAsync(Soon);
        }
        await rig.PassAsync(Soon);
        Assert.Equal(["a", "b0", "b1", "b2", "b3", "b4", "b5"], rig.Lines().Order());
        Assert.DoesNotContain(rig.Log.Lines, static line => line.Contains(Missed, StringComparison.Ordinal));
        await rig.StopAsync();
    });

    [Fact]
    public void A_file_that_is_deleted_before_it_could_be_opened_is_told_once() => AgentRig.OnOneThread(async rig =>
    {
        Writer writer = await Writer.StartAsync(rig, keep: 1);
        for (int round = 0; round < 2; round++)
        {
            writer.Write("seen");
            await rig.PassAsync(Soon);
            writer.Rotate();
            writer.Write("missed");
            writer.Rotate();
            writer.Write("kept");
            writer.Rotate();
            await rig.PassAsync(Soon);
        }
        Assert.Equal(["seen", "kept", "seen", "kept"], rig.Lines());
        Assert.Single(rig.Log.Lines, line => line.Contains(AgentRig.LogPath, StringComparison.Ordinal) && line.Contains(Missed, StringComparison.Ordinal));
        await rig.StopAsync();
    });

    [Fact]
    public void A_link_that_leads_nowhere_is_no_missed_file_when_it_is_removed() => AgentRig.OnOneThread(async rig =>
    {
        Writer writer = await Writer.StartAsync(rig, keep: 1);
        rig.Disk.Links["/logs/link.log"] = "/nothing";
        writer.Tell(null, "/logs/link.log");
        writer.Write("a");
        await rig.PassAsync(Soon);
        rig.Disk.Links.Clear();
        writer.Tell("/logs/link.log", null);
        writer.Write("b");
        await rig.PassAsync(Soon);
        Assert.Equal(["a", "b"], rig.Lines());
        Assert.DoesNotContain(rig.Log.Lines, static line => line.Contains(Missed, StringComparison.Ordinal));
        await rig.StopAsync();
    });

    [Fact]
    public void Names_that_no_pattern_matches_are_nobodys_business() => AgentRig.OnOneThread(async rig =>
    {
        Writer writer = await Writer.StartAsync(rig, keep: 1);
        rig.Append("no log\n", "/logs/notes");
        writer.Tell(null, "/logs/notes");
        rig.Machine.Rename("/logs/notes", "/logs/notes.old");
        writer.Tell("/logs/notes", "/logs/notes.old");
        rig.Machine.Delete("/logs/notes.old");
        writer.Tell("/logs/notes.old", null);
        writer.Write("a");
        await rig.PassAsync(Soon);
        Assert.Equal(["a"], rig.Lines());
        Assert.DoesNotContain(rig.Log.Lines, static line => line.Contains("notes", StringComparison.Ordinal));
        await rig.StopAsync();
    });

    /// <summary>A look after each pause, and none else. A line is missing only where its file was deleted before the first look after its birth.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_line_is_stored_once_whose_file_a_look_could_find(int keep)
    {
        int missed = 0;
        for (int seed = 0; seed < 25; seed++)
        {
            AgentRig.OnOneThread(async rig =>
            {
                var random = new Random(seed);
                Writer writer = await Writer.StartAsync(rig, keep);
                for (int step = 0; step < 60; step++)
                {
                    switch (random.Next(5))
                    {
                        case 0:
                            writer.Rotate();
                            break;
                        case 1:
                            await rig.PassAsync(Soon);
                            writer.Looked();
                            break;
                        default:
                            writer.Write($"{seed}-{step}");
                            break;
                    }
                }
                await rig.PassAsync(TimeSpan.FromSeconds(1));
                Assert.Equal(writer.Readable, rig.Lines());
                Assert.Equal(writer.Missed > 0, rig.Log.Lines.Any(static line => line.Contains(Missed, StringComparison.Ordinal)));
                missed += writer.Missed;
                await rig.StopAsync();
            });
        }
        Assert.True(keep > 1 || missed > 0, "no file was missed");
    }

    /// <summary>Writes one log and rotates it as logrotate does, and tells the watch of it.</summary>
    private sealed class Writer(AgentRig rig, ScriptedWatch watch, int keep)
    {
        private readonly List<string> _lines = [];
        private Queue<NameChange>? _held;
        private readonly List<(List<string> Lines, bool IsSeen)> _files = []; // the newest first; the first has the log's name

        public int Missed { get; private set; }

        /// <summary>The lines that an agent can have read, in their order.</summary>
        public IEnumerable<string> Readable => _lines;

        public static async Task<Writer> StartAsync(AgentRig rig, int keep)
        {
            var watch = new ScriptedWatch();
            rig.Watch = watch;
            rig.Options = rig.Options with { SweepInterval = TimeSpan.FromHours(1) };
            await rig.StartAsync();
            return new Writer(rig, watch, keep);
        }

        public void Tell(string? from, string? to)
        {
            if (_held is null)
            {
                watch.Named!(new NameChange(from, to));
            }
            else
            {
                _held.Enqueue(new NameChange(from, to));
            }
        }

        public void HoldBack() => _held = new Queue<NameChange>();

        /// <summary>Tells so many of the changes that were held back; false when there are no more.</summary>
        public bool Release(int count)
        {
            for (; count > 0 && _held!.TryDequeue(out NameChange change); count--)
            {
                watch.Named!(change);
            }
            return _held!.Count > 0;
        }

        public void Write(string line)
        {
            if (_files.Count == 0 || !rig.Machine.FileExists(AgentRig.LogPath))
            {
                _files.Insert(0, ([], false));
                rig.Append("", AgentRig.LogPath);
                Tell(null, AgentRig.LogPath);
            }
            _files[0].Lines.Add(line);
            _lines.Add(line);
            rig.Append(line + "\n");
            watch.Hint!(AgentRig.LogPath);
        }

        public void Rotate()
        {
            if (!rig.Machine.FileExists(AgentRig.LogPath))
            {
                return;
            }
            if (_files.Count > keep)
            {
                Delete(NameOf(keep));
            }
            for (int i = Math.Min(_files.Count, keep) - 1; i >= 0; i--)
            {
                rig.Machine.Rename(NameOf(i), NameOf(i + 1));
                Tell(NameOf(i), NameOf(i + 1));
            }
        }

        /// <summary>The agent has had the time to look at all that is there.</summary>
        public void Looked()
        {
            for (int i = 0; i < _files.Count; i++)
            {
                _files[i] = _files[i] with { IsSeen = true };
            }
        }

        private static string NameOf(int number) => number == 0 ? AgentRig.LogPath : $"{AgentRig.LogPath}.{number}";

        private void Delete(string path)
        {
            (List<string> lines, bool isSeen) = _files[^1];
            _files.RemoveAt(_files.Count - 1);
            if (!isSeen)
            {
                Missed++;
                lines.ForEach(line => _lines.Remove(line));
            }
            rig.Machine.Delete(path);
            Tell(path, null);
        }
    }
}
