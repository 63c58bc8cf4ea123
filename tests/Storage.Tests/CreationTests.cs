using LogPipeline.Testing.Files;

namespace LogPipeline.Storage.Tests;

/// <summary>Logs are created all or none, whatever refuses or crashes, and never more than can be opened again.</summary>
public sealed class CreationTests
{
    private static readonly Guid Made = Guid.Parse("aaaaaaaa-4455-6677-8899-aabbccddeeff");

    [Fact]
    public void A_crash_or_a_power_cut_leaves_all_partitions_or_none()
    {
        var outcomes = new HashSet<int>();
        for (int stop = 0; stop < 260; stop++)
        {
            var node = new TestNode(stop);
            DataDirectory directory = node.Start();
            node.Topics["made"] = new KnownTopic(Made, 12, IsGone: true);
            int left = stop;
            node.Files.Before = node.Files.After = _ =>
            {
                if (left-- == 0)
                {
                    node.Kill();
                }
            };
            bool wasMade = false;
            try
            {
                directory.Create("made", Made, 0, 12, node.Options);
                wasMade = true;
                node.Topics["made"] = new KnownTopic(Made, 12, IsGone: false);
            }
            catch (ObjectDisposedException)
            {
                // Killed on the way.
            }
            if (stop % 2 == 0)
            {
                node.LosePower(stop);
            }
            node.Kill();
            Assert.Equal(wasMade ? 12 : 0, node.Start().Logs.Count);
            Assert.Empty(node.Directory.OfflineLogs);
            outcomes.Add(node.Directory.Logs.Count);
            Assert.Equal(wasMade, node.Files.DirectoryExists(TestNode.Root + "/made-0"));
        }
        Assert.Equal(2, outcomes.Count);
    }

    [Fact]
    public void A_disk_that_refuses_leaves_nothing_behind()
    {
        for (int refused = 0; refused < 60; refused++)
        {
            var node = new TestNode();
            DataDirectory directory = node.Start();
            int left = refused;
            node.Files.Before = call =>
            {
                if (call.Operation is FileOperation.Write or FileOperation.Open or FileOperation.CreateDirectory or FileOperation.FlushAll && left-- == 0)
                {
                    throw new IOException("the disk refuses", hresult: 28);
                }
            };
            try
            {
                Assert.Equal(12, directory.Create("made", Made, 0, 12, node.Options).Count);
            }
            catch (IOException)
            {
                Assert.Empty(directory.Logs);
                Assert.DoesNotContain(node.Files.List(TestNode.Root), entry => entry.IsDirectory);
                node.Files.Before = null;
                Assert.Equal(12, directory.Create("made", Made, 0, 12, node.Options).Count);
            }
        }
    }

    [Fact]
    public void More_partitions_than_files_may_be_open_are_refused_and_the_message_says_how_many_fit()
    {
        var node = new TestNode();
        DataDirectory directory = node.Start(files => files.HandlesMax = 100);
        HandlesExhaustedException refused = Assert.Throws<HandlesExhaustedException>(() => directory.Create("made", Made, 0, 80, node.Options));
        Assert.StartsWith("80 partitions need 80 file handles, and 75 are left for partitions.", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(node.Files.List(TestNode.Root), entry => entry.IsDirectory);
    }

    [Fact]
    public void A_start_with_too_few_handles_serves_what_it_can_open()
    {
        var node = new TestNode();
        node.Start().Create("made", Made, 0, 80, node.Options);
        node.Kill();
        DataDirectory directory = node.Start(files => files.HandlesMax = 40);
        Assert.Equal(30, directory.Logs.Count);
        Assert.Equal(50, directory.OfflineLogs.Count);
        Assert.Contains("Raise the limit of open files", directory.OfflineLogs[0].Reason, StringComparison.Ordinal);
        node.Kill();
        Assert.Equal(80, node.Start().Logs.Count);
    }

    [Fact]
    public void A_start_flushes_every_file_system_that_has_a_log()
    {
        var node = new TestNode();
        node.Start().Create("made", Made, 0, 4, node.Options);
        node.Kill();
        var flushed = new List<string>();
        node.Start(files =>
        {
            files.MountOf = static path => path.StartsWith("/data/made-2", StringComparison.Ordinal) || path.StartsWith("/data/made-3", StringComparison.Ordinal)
                ? "another disk"
                : null;
            files.Before = call =>
            {
                if (call.Operation == FileOperation.FlushAll)
                {
                    flushed.Add(call.Path);
                }
            };
        });
        Assert.Equal(["/data", "/data/made-2"], flushed);
    }

    [Fact]
    public void Many_partitions_cost_few_flushes_and_one_list_of_each_checkpoint()
    {
        var node = new TestNode();
        DataDirectory directory = node.Start();
        int flushes = 0;
        node.Files.Before = call => flushes += call.Operation is FileOperation.Flush or FileOperation.FlushAll or FileOperation.FlushDirectory ? 1 : 0;
        directory.Create("made", Made, 0, 1000, node.Options);
        Assert.InRange(flushes, 1, 5);
        directory.DeleteTopic("made", Made);
        Assert.InRange(flushes, 1, 20);
        Assert.Empty(directory.Logs);
    }
}
