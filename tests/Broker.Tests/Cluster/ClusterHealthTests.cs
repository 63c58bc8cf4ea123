using System.Text;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Files;
using LogPipeline.Protocol;
using LogPipeline.Testing.Files;

namespace LogPipeline.Broker.Tests.Cluster;

/// <summary>What a broker says of itself when its disk lets it down, and what it leaves alone then.</summary>
public sealed class ClusterHealthTests
{
    private static readonly Dictionary<string, string> NoSettings = [];

    [Fact]
    public async Task A_metadata_log_that_is_offline_is_told_until_the_next_start()
    {
        await using var broker = new TestBroker();
        broker.Core.Topics.Create("before", 1, NoSettings);
        Assert.Null(broker.Core.Problem);
        broker.Files.Before = static call =>
        {
            if (call.Path.Contains("/__cluster_metadata-0/", StringComparison.Ordinal) && call.Operation != FileOperation.Write)
            {
                throw new IOException("the disk refuses");
            }
        };
        Assert.Throws<IOException>(() => broker.Core.Topics.Create("during", 1, NoSettings));
        broker.Files.Before = null;
        Assert.Contains("the metadata log is offline until the next start", broker.Core.Problem, StringComparison.Ordinal);
        Assert.Contains(broker.Log.Lines, static line => line.Contains("__cluster_metadata-0", StringComparison.Ordinal));
        Assert.Throws<IOException>(() => broker.Core.Topics.Create("after", 1, NoSettings));
        Assert.Equal(ErrorCode.None, (await broker.Connect().ProduceAsync("before", Ask.Batch(1))).ErrorCode);
        broker.Kill();
        Assert.Null(broker.Core.Problem);
        broker.Core.Topics.Create("after", 1, NoSettings);
    }

    [Fact]
    public async Task A_partition_whose_log_goes_offline_is_told()
    {
        await using var broker = new TestBroker(("log.journal.batch.max.bytes", "0"));
        broker.Core.Topics.Create("t", 2, NoSettings);
        broker.Files.Before = static call =>
        {
            if (call.Path.StartsWith("/data/t-1/", StringComparison.Ordinal) && call.Operation == FileOperation.Flush)
            {
                throw new IOException("the disk refuses");
            }
        };
        Assert.Equal(ErrorCode.KafkaStorageError, (await broker.Connect().ProduceAsync("t", Ask.Batch(1), 1)).ErrorCode);
        Assert.Equal("1 partitions are offline, the first is t-1 (the disk refuses)", broker.Core.Problem);
        broker.Core.Topics.Delete(broker.Core.Topics.Find("t")!);
        Assert.Null(broker.Core.Problem);
    }

    [Fact]
    public async Task A_commit_journal_that_is_off_is_told_until_the_next_start()
    {
        await using var broker = new TestBroker();
        broker.Core.Topics.Create("t", 1, NoSettings);
        broker.Files.Before = static call =>
        {
            if (call.Path.StartsWith("/data/journal/", StringComparison.Ordinal))
            {
                throw new IOException("the disk refuses");
            }
        };
        Assert.Equal(ErrorCode.None, (await broker.Connect().ProduceAsync("t", Ask.Batch(1))).ErrorCode);
        Assert.Equal("the commit journal is off until the next start, small batches are slow (the disk refuses)", broker.Core.Problem);
        broker.Files.Before = null;
        broker.Kill();
        Assert.Null(broker.Core.Problem);
    }

    // An empty log beside it says nothing of the other's records.
    [Fact]
    public async Task A_topic_that_no_record_names_is_kept_when_one_of_its_logs_cannot_be_opened()
    {
        await using var broker = new TestBroker();
        await broker.RestartAsync(() =>
        {
            var files = new MemoryFileSystem(broker.Disk);
            for (int partition = 0; partition < 2; partition++)
            {
                string directory = $"/data/other-{partition}";
                files.CreateDirectory(directory);
                AtomicFile.Replace(files, $"{directory}/partition.metadata", Encoding.UTF8.GetBytes("version: 0\ntopic_id: AAAAAAAAQACAAAAAAAAAcQ\n"));
                AtomicFile.Replace(files, $"{directory}/00000000000000000000.log", []);
            }
            broker.BeforeFiles = static call =>
            {
                if (call.Path.StartsWith("/data/other-1/0", StringComparison.Ordinal) && call.Operation == FileOperation.Open)
                {
                    throw new IOException("the disk refuses");
                }
            };
        });
        Assert.True(broker.Files.DirectoryExists("/data/other-0") && broker.Files.DirectoryExists("/data/other-1"));
        Assert.Contains("other-1", broker.Core.Problem, StringComparison.Ordinal);
    }
}
