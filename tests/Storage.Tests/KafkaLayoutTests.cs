using System.Text;
using LogPipeline.Files;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogPipeline.Storage.Tests;

/// <summary>What lies on disk has Kafka's names and forms. Set LOGPIPE_DUMP_DIRECTORY to keep a directory for Kafka's own tools.</summary>
public sealed class KafkaLayoutTests : IDisposable
{
    private readonly string _root = Environment.GetEnvironmentVariable("LOGPIPE_DUMP_DIRECTORY")
        ?? System.IO.Directory.CreateTempSubdirectory("logpipe-layout-").FullName;

    public void Dispose()
    {
        if (Environment.GetEnvironmentVariable("LOGPIPE_DUMP_DIRECTORY") is null)
        {
            System.IO.Directory.Delete(_root, recursive: true);
        }
    }

    [Fact]
    public async Task A_directory_on_the_real_disk_has_kafkas_files()
    {
        var options = new PartitionLogOptions { SegmentBytes = 60_000 };
        DataDirectory directory = Open();
        PartitionLog log = directory.Create("web_log", Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"), 3, 1, options)[0];
        for (int i = 0; i < 300; i++)
        {
            AppendResult result = log.Append(TestBatches.Make(5, i % 3, 0, i / 3 * 5, timestamp: 1_700_000_000_000 + (i * 100), valueLength: 100));
            await log.FlushedAsync(result.LastOffset + 1);
        }
        await directory.CloseAsync();
        Assert.Equal(
            [
                ".kafka_cleanshutdown", ".lock", "broker.checkpoint", "journal", "meta.properties",
                "recovery-point-offset-checkpoint", "replication-offset-checkpoint", "reserved.space", "web_log-3",
            ],
            System.IO.Directory.EnumerateFileSystemEntries(_root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("0\n1\nweb_log 3 1500\n", Text("recovery-point-offset-checkpoint"));
        Assert.Equal("version: 0\ntopic_id: ABEiM0RVZneImaq7zN3u_w\n", Text("web_log-3/partition.metadata"));
        Assert.Equal("0\n1\n0 0\n", Text("web_log-3/leader-epoch-checkpoint"));
        string[] names = [.. System.IO.Directory.EnumerateFiles(_root + "/web_log-3").Select(path => Path.GetFileName(path)!)];
        foreach (string log0 in names.Where(name => name.EndsWith(".log", StringComparison.Ordinal)))
        {
            Assert.Contains(Path.ChangeExtension(log0, ".index"), names);
            Assert.Contains(Path.ChangeExtension(log0, ".timeindex"), names);
        }
        Assert.Contains("00000000000000001500.snapshot", names);
        directory = Open();
        Assert.Equal(1, directory.LeaderEpoch);
        Assert.Equal(1500, directory.Logs[0].LogEndOffset);
        Assert.Equal(1500, TestBatches.Walk(directory.Logs[0].ReadAll(), 0));
        directory.Dispose();
    }

    [Fact]
    public void Another_nodes_directory_is_refused()
    {
        Open().Dispose();
        Assert.Throws<InvalidDataException>(() => Open(new DataDirectoryOptions { NodeId = 2 }));
        Assert.Throws<InvalidDataException>(() => Open(new DataDirectoryOptions { ClusterId = "another-cluster-22-char" }));
    }

    private DataDirectory Open(DataDirectoryOptions? options = null) => DataDirectory.Open(
        new OsFileSystem(), _root, options ?? new DataDirectoryOptions(), TimeProvider.System, new Random(5), NullLogger.Instance);

    private string Text(string name) => Encoding.UTF8.GetString(File.ReadAllBytes(_root + "/" + name));
}
