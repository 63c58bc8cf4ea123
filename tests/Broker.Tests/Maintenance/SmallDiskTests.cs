using System.Buffers.Binary;
using System.Globalization;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Files;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Testing.Time;
using Xunit.Abstractions;

namespace LogPipeline.Broker.Tests.Maintenance;

/// <summary>
/// The broker on a real file system that is small, its clock moved by the test: it writes many times what the disk holds. How many
/// minutes of that clock LOGPIPE_RETENTION_MINUTES says; `./test retention` runs an hour.
/// </summary>
public sealed class SmallDiskTests(ITestOutputHelper output)
{
    private const int ValueBytes = 8 << 10;
    private const int RecordsPerBatch = 30;
    private const long Segment = 4 << 20;
    private const long Journal = 16 << 20;
    private const long Budget = 48 << 20;
    private const long Reserve = 4 << 20;
    private const long Small = 2 << 20; // indexes, snapshots, checkpoints and directories
    private const int Busy = 4;

    private static readonly TimeSpan Step = TimeSpan.FromSeconds(31);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly ManualTime _time = new();
    private readonly Dictionary<(string Topic, int Partition), long> _written = [];

    private static int Minutes => int.TryParse(Environment.GetEnvironmentVariable("LOGPIPE_RETENTION_MINUTES"), CultureInfo.InvariantCulture, out int minutes) ? minutes : 5;

    [RequiresSmallDiskFact]
    public async Task The_directory_stays_within_its_budget_and_nothing_above_a_start_is_lost()
    {
        using var disk = new SmallDisk(256);
        long most = 0;
        BrokerCore core = Open(disk, ("log.retention.total.bytes", $"{Budget}"));
        var client = new TestClient(core, _time);
        await client.CreatedAsync("busy", Busy);
        await client.CreatedAsync("quiet", 2);
        int steps = (int)(TimeSpan.FromMinutes(Minutes) / Step);
        for (int step = 0; step < steps; step++)
        {
            for (int batch = 0; batch < 10 * Busy; batch++)
            {
                await ProduceAsync(client, "busy", batch % Busy);
            }
            if (step % 8 == 0)
            {
                await ProduceAsync(client, "quiet", step / 8 % 2);
            }
            await PassAsync(core, Step);
            long logs = core.Topics.All.Sum(static topic => topic.Partitions.Sum(static partition => partition.Log!.SizeBytes));
            Assert.True(logs <= Budget, $"step {step}: the logs have {logs} bytes");
            // Beside the logs: space that active segments hold ahead, up to their size, and what every directory has.
            most = Math.Max(most, disk.UsedBytes);
            Assert.True(disk.UsedBytes <= Budget + ((Busy + 2) * Segment) + Journal + Reserve + Small, $"step {step}: {disk.UsedBytes} bytes are taken");
        }
        long removed = 0;
        foreach ((string topic, int partition) in _written.Keys)
        {
            removed += ValueBytes * await CheckAsync(client, topic, partition);
        }
        await CloseAsync(core);
        core = Open(disk, ("log.retention.total.bytes", $"{Budget}"));
        client = new TestClient(core, _time);
        foreach ((string topic, int partition) in _written.Keys)
        {
            await CheckAsync(client, topic, partition);
            await ProduceAsync(client, topic, partition); // the producer's sequence goes on
        }
        await CloseAsync(core);
        output.WriteLine(
            $"{steps} rounds in {Minutes} minutes: {_written.Values.Sum() * ValueBytes >> 20} MiB written, {removed >> 20} MiB removed, "
            + $"budget {Budget >> 20} MiB, at most {most >> 20} MiB of the disk taken");
        Assert.True(Minutes < 5 || removed > 0); // else the run was too short to show anything
    }

    [RequiresSmallDiskFact]
    public async Task A_full_disk_refuses_producers_until_retention_makes_room_also_with_no_byte_left_at_the_start()
    {
        using var disk = new SmallDisk(64);
        BrokerCore core = Open(disk, ("log.retention.ms", "3600000"));
        var client = new TestClient(core, _time);
        await client.CreatedAsync("t");
        await client.SendAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { Key = "g" }, 2);
        await FillAsync(client, disk);
        Assert.Equal(ErrorCode.None, await CommitAsync(client));
        await CloseAsync(core);
        string ballast = Path.Combine(disk.Folder, "ballast");
        FillWith(ballast);
        Assert.Equal(0, disk.FreeBytes);

        core = Open(disk, ("log.retention.ms", "3600000"));
        client = new TestClient(core, _time);
        Assert.Equal(0, await CheckAsync(client, "t", 0)); // fetches go on
        Assert.Equal(ErrorCode.KafkaStorageError, await TryProduceAsync(client, "t", 0));
        await PassAsync(core, TimeSpan.FromHours(2));
        client = new TestClient(core, _time); // the first one was idle for two hours
        long written = _written[("t", 0)];
        Assert.Equal(written, await CheckAsync(client, "t", 0));
        Assert.True(disk.FreeBytes > 8 << 20, $"{disk.FreeBytes} bytes are free");
        await ProduceAsync(client, "t", 0);
        Assert.Equal(ErrorCode.None, await CommitAsync(client));
        Assert.Equal(written, await CheckAsync(client, "t", 0));
        await PassAsync(core, Step);
        Assert.True(File.Exists(Path.Combine(disk.Folder, "data", "reserved.space"))); // held again
        await CloseAsync(core);
        File.Delete(ballast);
    }

    private BrokerCore Open(SmallDisk disk, params (string Name, string Value)[] settings) => BrokerCore.Open(
        new BrokerOptions
        {
            DataDirectory = Path.Combine(disk.Folder, "data"),
            Settings = new Dictionary<string, string>(settings.Select(static setting => KeyValuePair.Create(setting.Name, setting.Value)))
            {
                ["log.segment.bytes"] = $"{Segment}",
                ["log.journal.bytes"] = $"{Journal}",
                ["log.reserved.bytes"] = $"{Reserve}",
                ["log.retention.check.interval.ms"] = $"{Interval.TotalMilliseconds}",
                ["offsets.topic.num.partitions"] = "1",
            },
        },
        new OsFileSystem(), _time, new Random(1));

    // Lets time pass, and returns when a round of maintenance that began thereafter is over.
    private Task PassAsync(BrokerCore core, TimeSpan wait)
    {
        _time.Advance(wait);
        return core.Maintenance.RoundAsync(CancellationToken.None);
    }

    private static async Task CloseAsync(BrokerCore core)
    {
        await core.CloseAsync();
        core.Dispose();
    }

    // Until producers are refused; the disk is not full then.
    private async Task FillAsync(TestClient client, SmallDisk disk)
    {
        ErrorCode error;
        do
        {
            error = await TryProduceAsync(client, "t", 0);
        }
        while (error == ErrorCode.None);
        Assert.Equal(ErrorCode.KafkaStorageError, error);
        Assert.True(disk.FreeBytes > Reserve / 2, $"{disk.FreeBytes} bytes are free");
    }

    private static void FillWith(string path)
    {
        byte[] zeros = new byte[64 << 10];
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (int size = zeros.Length; size >= 512;)
        {
            try
            {
                file.Write(zeros.AsSpan(0, size));
                file.Flush(flushToDisk: true);
            }
            catch (IOException)
            {
                size /= 2;
            }
        }
    }

    private async Task ProduceAsync(TestClient client, string topic, int partition) =>
        Assert.Equal(ErrorCode.None, await TryProduceAsync(client, topic, partition));

    // A record's value begins with its number in the partition, which is its offset too.
    private async Task<ErrorCode> TryProduceAsync(TestClient client, string topic, int partition)
    {
        long first = _written.GetValueOrDefault((topic, partition));
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1 << 20);
        byte[] value = new byte[ValueBytes];
        for (int i = 0; i < RecordsPerBatch; i++)
        {
            BinaryPrimitives.WriteInt64BigEndian(value, first + i);
            builder.TryAppend(_time.GetUtcNow().ToUnixTimeMilliseconds(), value);
        }
        byte[] batch = builder.Build(producerId: 100 + partition, 0, (int)first).ToArray();
        ProduceResponse.Response.PartitionResponse answer = await client.ProduceAsync(topic, batch, partition);
        if (answer.ErrorCode == ErrorCode.None)
        {
            Assert.Equal(first, answer.BaseOffset);
            _written[(topic, partition)] = first + RecordsPerBatch;
        }
        return answer.ErrorCode;
    }

    // All from the log's start to what was written last is there; returns the start.
    private async Task<long> CheckAsync(TestClient client, string topic, int partition)
    {
        ListOffsetsResponse start = await client.SendAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new() { Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = partition, Timestamp = -2 }] }] });
        long begin = start.Topics[0].Partitions[0].Offset;
        long next = begin;
        while (next < _written[(topic, partition)])
        {
            FetchResponse.Response.Partition fetched = (await client.FetchAsync(Ask.Fetch(topic, next, partition: partition))).Responses[0].Partitions[0];
            Assert.Equal(ErrorCode.None, fetched.ErrorCode);
            Assert.False(fetched.Records.Memory.IsEmpty);
            for (ReadOnlyMemory<byte> rest = fetched.Records.Memory; BatchHeader.TryParse(rest.Span, out BatchHeader header); rest = rest[header.SizeInBytes..])
            {
                Assert.True(RecordBatch.CrcIsValid(rest.Span[..header.SizeInBytes]));
                var reader = new RecordReader(rest.Span[RecordBatch.HeaderSize..header.SizeInBytes], header);
                while (reader.Read())
                {
                    Assert.Equal((next, next), (reader.Offset, BinaryPrimitives.ReadInt64BigEndian(reader.Value)));
                    next++;
                }
            }
        }
        return begin;
    }

    private static async Task<ErrorCode> CommitAsync(TestClient client)
    {
        OffsetCommitResponse committed = await client.SendAsync<OffsetCommitRequest, OffsetCommitResponse>(
            new() { GroupId = "g", GenerationIdOrMemberEpoch = -1, Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = 7 }] }] }, 2);
        return committed.Topics[0].Partitions[0].ErrorCode;
    }
}
