using System.Text;
using LogPipeline.Files;

namespace LogPipeline.Storage.Tests;

/// <summary>What a start makes of a data directory: whose things lie in it, what is missing, what is damaged.</summary>
public sealed class DirectoryTests
{
    private readonly TestNode _node = new();

    [Fact]
    public void What_is_not_a_log_stays_where_it_is_and_is_told()
    {
        _node.StartLog();
        _node.Kill();
        string[] foreign =
        [
            "backup-2024/important.txt", "notes-delete/important.txt", "web_log-1/notes.txt", "old.tmp", "my.tmp/x.tmp",
            "web_log-0.notes-delete/00000000000000000000.log", "web_log-0/readme.tmp",
        ];
        foreach (string name in foreign)
        {
            Write(name, "x");
        }
        _node.StartLog();
        Assert.All(foreign, name => Assert.Equal("x", Read(name)));
        Assert.All(
            ["backup-2024", "notes-delete", "web_log-1", "web_log-0.notes-delete"],
            name => Assert.Contains(_node.Logger.Lines, line => line.StartsWith($"{TestNode.Root}/{name} is left alone", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_removal_leaves_what_is_not_the_logs()
    {
        PartitionLog log = _node.StartLog();
        Write("web_log-0/notes.txt", "x");
        _node.Directory.DeleteTopic(log.Topic, log.TopicId);
        Assert.Equal("x", Read($"web_log-0.{log.TopicId:N}-delete/notes.txt"));
        _node.Kill();
        Assert.Empty(_node.Start().Logs);
        Assert.Equal("x", Read($"web_log-0.{log.TopicId:N}-delete/notes.txt"));
    }

    [Fact]
    public void A_missing_identity_beside_logs_refuses_the_start_and_names_the_file()
    {
        _node.StartLog();
        _node.Kill();
        Files().Delete(TestNode.Root + "/meta.properties");
        InvalidDataException refused = Assert.Throws<InvalidDataException>(() => _node.Start());
        Assert.StartsWith("/data/meta.properties is missing beside logs.", refused.Message, StringComparison.Ordinal);
        Assert.False(Files().FileExists(TestNode.Root + "/meta.properties"));
    }

    [Theory]
    [InlineData("meta.properties", "garbage")]
    [InlineData("meta.properties", "")]
    [InlineData("broker.checkpoint", "leader.epoch=x")]
    [InlineData("log-start-offset-checkpoint", "0\n1\nweb_log 0\n")]
    [InlineData("log-start-offset-checkpoint", "0\n1\nweb_log zero 1\n")]
    [InlineData("log-start-offset-checkpoint", "0\n1\n99999999999999999999999 1 1\n0 0")]
    public void A_damaged_small_file_refuses_the_start_in_one_line_that_names_it(string name, string content)
    {
        _node.StartLog();
        _node.Kill();
        Write(name, content);
        InvalidDataException refused = Assert.Throws<InvalidDataException>(() => _node.Start());
        Assert.Contains($"{TestNode.Root}/{name}", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Theory]
    [InlineData("partition.metadata", "garbage")]
    [InlineData("partition.metadata", "")]
    [InlineData("leader-epoch-checkpoint", "0\n1\nx y\n")]
    [InlineData("leader-epoch-checkpoint", "0\n2\n1 2 3\n4\n")]
    [InlineData("leader-epoch-checkpoint", "\0\0\0\0")]
    public async Task A_damaged_file_that_follows_from_others_is_made_anew(string name, string content)
    {
        PartitionLog log = _node.StartLog();
        log.Append(TestBatches.Make(3));
        await _node.Directory.CloseAsync();
        log = _node.StartLog();
        log.Append(TestBatches.Make(4), leaderEpoch: 1);
        await _node.Directory.CloseAsync();
        Write("web_log-0/" + name, content);
        _node.Topics["web_log"] = new KnownTopic(TestNode.WebLog, 1, IsGone: false);
        for (int life = 0; life < 2; life++)
        {
            log = Assert.Single(_node.Start().Logs);
            Assert.Equal(TestNode.WebLog, log.TopicId);
            Assert.Equal((0, 3), log.EndOffsetForEpoch(0, 7));
            Assert.Equal((1, 7), log.EndOffsetForEpoch(1, 7));
            await _node.Directory.CloseAsync();
        }
    }

    [Fact]
    public void What_should_be_there_and_is_not_is_offline_and_told_and_the_rest_is_served()
    {
        PartitionLog log = _node.StartLog();
        Guid other = Guid.NewGuid();
        _node.Directory.Create("other", other, 0, 4, _node.Options);
        log.Append(TestBatches.Make(3));
        _node.Kill();
        Files().DeleteDirectory(TestNode.Root + "/other-1");
        Files().Delete(TestNode.Root + "/other-2/00000000000000000000.log");
        _node.Topics["web_log"] = new KnownTopic(TestNode.WebLog, 1, IsGone: false);
        _node.Topics["other"] = new KnownTopic(other, 4, IsGone: false);
        Assert.Equal(["other-0", "other-3", "web_log-0"], _node.Start().Logs.Select(served => $"{served.Topic}-{served.Partition}"));
        Assert.Equal([1, 2], _node.Directory.OfflineLogs.Select(offline => offline.Partition).Order());
        Assert.Contains("other-1 is offline: /data/other-1 is gone. Restore it, or delete the topic.", _node.Logger.Lines);
        Assert.Contains(_node.Logger.Lines, line => line.StartsWith("other-2 is offline: /data/other-2 holds no segment", StringComparison.Ordinal));
        _node.Directory.DeleteTopic("other", other);
        Assert.Empty(_node.Directory.OfflineLogs);
        Assert.DoesNotContain(Files().List(TestNode.Root), entry => entry.Name.StartsWith("other", StringComparison.Ordinal));
    }

    [Fact]
    public void Another_topics_directory_in_a_topics_place_is_offline_and_stays()
    {
        _node.StartLog();
        _node.Kill();
        Guid expected = Guid.NewGuid();
        _node.Topics["web_log"] = new KnownTopic(expected, 1, IsGone: false);
        Assert.Contains("belongs to topic id", Assert.Single(_node.Start().OfflineLogs).Reason, StringComparison.Ordinal);
        _node.Directory.DeleteTopic("web_log", expected);
        _node.Kill();
        _node.Topics.Clear();
        Assert.Equal(TestNode.WebLog, Assert.Single(_node.Start().Logs).TopicId);
    }

    private Testing.Files.MemoryFileSystem Files() => new(_node.Disk);

    private string Read(string name) => Encoding.UTF8.GetString(AtomicFile.ReadAll(Files(), $"{TestNode.Root}/{name}") ?? []);

    private void Write(string name, string content)
    {
        Testing.Files.MemoryFileSystem files = Files();
        files.CreateDirectory(Path.GetDirectoryName($"{TestNode.Root}/{name}")!);
        using IFile file = files.Open($"{TestNode.Root}/{name}", FileOpenMode.ReadWrite);
        file.SetLength(0);
        file.Write(Encoding.UTF8.GetBytes(content), 0);
        file.Flush();
    }
}
