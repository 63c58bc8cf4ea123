using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Compare.Questions;

/// <summary>About records: producing, fetching, finding and removing them.</summary>
internal static class RecordQuestions
{
    // One message, key k and value v.
    private const string FormatZero = "0000000000000000000000101fecd70a0000000000016b0000000176";
    private const string FormatOne = "00000000000000000000001839268c3301000000018bcfe56800000000016b0000000176";

    private static readonly Guid Nobody = new("00000000-0000-0007-0000-000000000009");

    public static IReadOnlyList<Question> List { get; } =
    [
        new Question<ProduceRequest, ProduceResponse>("a batch", static (scene, version) => Produce(scene, version, "empty", Scene.Batch(2)), from: 3),
        new Question<ProduceRequest, ProduceResponse>("a batch with append time", static (scene, version) => Produce(scene, version, "stamped", Scene.Batch(2)), from: 3),
        new Question<ProduceRequest, ProduceResponse>("an unknown partition", static (scene, version) => Produce(scene, version, "t", Scene.Batch(1), partition: 9), from: 3),
        new Question<ProduceRequest, ProduceResponse>("an unknown topic", static (_, _) => Scene.Produce("nowhere", Scene.Batch(1)), from: 3, to: 12),
        new Question<ProduceRequest, ProduceResponse>("an unknown id", static (_, _) => With(Scene.Produce("", Scene.Batch(1)), Nobody), from: 13),
        new Question<ProduceRequest, ProduceResponse>("unknown acks", static (scene, version) => Produce(scene, version, "t", Scene.Batch(1), acks: 2), from: 3),
        new Question<ProduceRequest, ProduceResponse>("no records", static (scene, version) => Produce(scene, version, "t", []), from: 3),
        new Question<ProduceRequest, ProduceResponse>("two batches", static (scene, version) => Produce(scene, version, "t", [.. Scene.Batch(1), .. Scene.Batch(1)]), from: 3),
        new Question<ProduceRequest, ProduceResponse>("a damaged batch", static (scene, version) => Produce(scene, version, "t", Damaged(Scene.Batch(1))), from: 3),
        new Question<ProduceRequest, ProduceResponse>("a cut batch", static (scene, version) => Produce(scene, version, "t", Scene.Batch(1)[..^3]), from: 3),
        new Question<ProduceRequest, ProduceResponse>("zstd", static (scene, version) => Produce(scene, version, "empty", Scene.Batch(2, CompressionCodec.Zstd)), from: 3),
        new Question<ProduceRequest, ProduceResponse>("no key", static (scene, version) => Produce(scene, version, "compacted", Scene.Batch(2)), from: 3),
        new Question<ProduceRequest, ProduceResponse>("a timestamp too old", static (scene, version) => Produce(scene, version, "timely", Scene.Batch(2)), from: 3),
        new Question<ProduceRequest, ProduceResponse>("a timestamp too new", static (scene, version) => Produce(scene, version, "timely", Scene.Batch(2, CompressionCodec.Gzip, time: 2 * Scene.Time)), from: 3),
        new Question<ProduceRequest, ProduceResponse>("an internal topic", static (_, _) => Scene.Produce("__consumer_offsets", Scene.Batch(1)), from: 3, to: 12),
        new Question<ProduceRequest, ProduceResponse>("old: a batch of format 2", static (_, _) => Scene.Produce("empty", Scene.Batch(2)), to: 2),
        new Question<ProduceRequest, ProduceResponse>("old: a message of format 0", static (_, _) => Scene.Produce("empty", Convert.FromHexString(FormatZero)), to: 2),
        new Question<ProduceRequest, ProduceResponse>("old: a message of format 1", static (_, _) => Scene.Produce("empty", Convert.FromHexString(FormatOne)), to: 2),
        new Question<ProduceRequest, ProduceResponse>("old: an unknown topic", static (_, _) => Scene.Produce("nowhere", Convert.FromHexString(FormatOne)), to: 2),
        new Question<ProduceRequest, ProduceResponse>("old: no records", static (_, _) => Scene.Produce("empty", []), to: 2),
        new Question<ProduceRequest, ProduceResponse>("old: a damaged message", static (_, _) => Scene.Produce("empty", Damaged(Convert.FromHexString(FormatOne))), to: 2),
        new Question<ProduceRequest, ProduceResponse>("formats 0 and 1 too late", static (scene, version) => Produce(scene, version, "empty", Convert.FromHexString(FormatOne)), from: 3),
        new Question<FetchRequest, FetchResponse>("from the start", static (scene, version) => Fetch(scene, version, "t", 1), from: 0),
        new Question<FetchRequest, FetchResponse>("at the end", static (scene, version) => Fetch(scene, version, "t", 5), from: 0),
        new Question<FetchRequest, FetchResponse>("before the start", static (scene, version) => Fetch(scene, version, "t", 0), from: 0),
        new Question<FetchRequest, FetchResponse>("beyond the end", static (scene, version) => Fetch(scene, version, "t", 99), from: 0),
        new Question<FetchRequest, FetchResponse>("an unknown partition", static (scene, version) => Fetch(scene, version, "t", 0, partition: 9), from: 0),
        new Question<FetchRequest, FetchResponse>("an unknown topic", static (_, _) => Asked("nowhere", Nobody, 0), from: 0),
        new Question<FetchRequest, FetchResponse>("read committed", static (scene, version) => Fetch(scene, version, "t", 1, change: static request => request.IsolationLevel = 1), from: 4),
        new Question<FetchRequest, FetchResponse>("a newer leader epoch", static (scene, version) => Fetch(scene, version, "t", 1, change: static request => request.Topics[0].Partitions[0].CurrentLeaderEpoch = 99), from: 9),
        new Question<FetchRequest, FetchResponse>("a fetched epoch of the future", static (scene, version) => Fetch(scene, version, "t", 5, change: static request => request.Topics[0].Partitions[0].LastFetchedEpoch = 99), from: 12),
        new Question<FetchRequest, FetchResponse>("as a replica", static (scene, version) => Fetch(scene, version, "t", 1, change: static request => request.ReplicaId = 7), from: 4, to: 14),
        new Question<FetchRequest, FetchResponse>("as a replica, newer", static (scene, version) => Fetch(scene, version, "t", 1, change: static request => request.ReplicaState = new() { ReplicaId = 7 }), from: 15),
        new Question<FetchRequest, FetchResponse>("an unknown session", static (scene, version) => Fetch(scene, version, "t", 1, change: static request => (request.SessionId, request.SessionEpoch) = (77, 3)), from: 7),
        new Question<FetchRequest, FetchResponse>("a new session", static (scene, version) => Fetch(scene, version, "t", 5, change: static request => (request.SessionId, request.SessionEpoch) = (0, 0)), from: 7),
        new Question<FetchRequest, FetchResponse>("nothing", static (_, _) => new() { MaxWaitMs = 0 }, from: 0),
        .. new long[] { -1, -2, -3, -4, -5, -6, -7, 0, Scene.Time + 1, Scene.Time + 3_600_000 }.Select(static time =>
            new Question<ListOffsetsRequest, ListOffsetsResponse>($"at {(time > 0 ? $"time + {time - Scene.Time}" : time)}", (_, _) => Find("t", 0, time), from: 1)),
        .. new long[] { -1, -2, 0, Scene.Time + 3_600_000, long.MaxValue }.Select(static time =>
            new Question<ListOffsetsRequest, ListOffsetsResponse>($"as a list, at {(time > 0 ? $"time + {time - Scene.Time}" : time)}", (_, _) =>
                new() { ReplicaId = -1, Topics = [new() { Name = "t", Partitions = [new() { Timestamp = time, MaxNumOffsets = 5 }] }] }, to: 0)),
        new Question<ListOffsetsRequest, ListOffsetsResponse>("the latest that is committed", static (_, _) => Find("t", 0, -1, isolation: 1), from: 2),
        new Question<ListOffsetsRequest, ListOffsetsResponse>("in an empty partition, largest timestamp", static (_, _) => Find("t", 1, -3), from: 1),
        new Question<ListOffsetsRequest, ListOffsetsResponse>("in an empty partition, earliest", static (_, _) => Find("t", 1, -2), from: 1),
        new Question<ListOffsetsRequest, ListOffsetsResponse>("an unknown partition", static (_, _) => Find("t", 9, -1), from: 1),
        new Question<ListOffsetsRequest, ListOffsetsResponse>("an unknown topic", static (_, _) => Find("nowhere", 0, -1), from: 1),
        new Question<ListOffsetsRequest, ListOffsetsResponse>("a newer leader epoch", static (_, _) => Find("t", 0, -1, epoch: 99), from: 4),
        new Question<ListOffsetsRequest, ListOffsetsResponse>("a partition twice", static (_, _) =>
            new() { ReplicaId = -1, Topics = [new() { Name = "t", Partitions = [new() { Timestamp = -1 }, new() { PartitionIndex = 1, Timestamp = -1 }, new() { Timestamp = -1 }] }] }, from: 1),
        new Question<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>("an epoch of the future", static (_, _) => Epoch("t", 0, 99)),
        new Question<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>("an epoch below zero", static (_, _) => Epoch("t", 0, -1)),
        new Question<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>("an unknown partition", static (_, _) => Epoch("t", 9, 0)),
        new Question<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>("an unknown topic", static (_, _) => Epoch("nowhere", 0, 0)),
        new Question<DeleteRecordsRequest, DeleteRecordsResponse>("below the start", static (_, _) => Delete("t", 0, 0)),
        new Question<DeleteRecordsRequest, DeleteRecordsResponse>("beyond the end", static (_, _) => Delete("t", 0, 99)),
        new Question<DeleteRecordsRequest, DeleteRecordsResponse>("below zero", static (_, _) => Delete("t", 0, -7)),
        new Question<DeleteRecordsRequest, DeleteRecordsResponse>("an unknown partition", static (_, _) => Delete("t", 9, 0)),
        new Question<DeleteRecordsRequest, DeleteRecordsResponse>("an unknown topic", static (_, _) => Delete("nowhere", 0, 0)),
        new Question<DeleteRecordsRequest, DeleteRecordsResponse>("an internal topic", static (_, _) => Delete("__consumer_offsets", 0, 0)),
        new Question<InitProducerIdRequest, InitProducerIdResponse>("an id", static (_, _) => new()),
        new Question<InitProducerIdRequest, InitProducerIdResponse>("an id and no epoch", static (_, _) => new() { ProducerId = 5 }, from: 3),
        new Question<InitProducerIdRequest, InitProducerIdResponse>("an epoch and no id", static (_, _) => new() { ProducerEpoch = 5 }, from: 3),
        new Question<InitProducerIdRequest, InitProducerIdResponse>("an id and an epoch", static (_, _) => new() { ProducerId = 5, ProducerEpoch = 0 }, from: 3),
        new Question<DescribeProducersRequest, DescribeProducersResponse>("a partition, and unknown ones", static (_, _) => new() { Topics = [new() { Name = "t", PartitionIndexes = [0, 9] }, new() { Name = "nowhere", PartitionIndexes = [0] }] }),
    ];

    private static ProduceRequest Produce(Scene scene, short version, string topic, byte[] batch, int partition = 0, short acks = -1)
    {
        ProduceRequest request = Scene.Produce(topic, batch, partition, acks);
        return version >= 13 ? With(request, scene.Ids[topic]) : request;
    }

    private static ProduceRequest With(ProduceRequest request, Guid id)
    {
        request.TopicData[0].TopicId = id;
        return request;
    }

    private static byte[] Damaged(byte[] batch)
    {
        batch[^1] ^= 1;
        return batch;
    }

    private static FetchRequest Fetch(Scene scene, short version, string topic, long offset, int partition = 0, Action<FetchRequest>? change = null)
    {
        FetchRequest request = Asked(topic, version >= 13 ? scene.Ids[topic] : Guid.Empty, offset, partition);
        change?.Invoke(request);
        return request;
    }

    private static FetchRequest Asked(string topic, Guid id, long offset, int partition = 0) => new()
    {
        MinBytes = 1,
        SessionEpoch = -1,
        Topics = [new() { Name = topic, TopicId = id, Partitions = [new() { Index = partition, FetchOffset = offset, PartitionMaxBytes = 1 << 20 }] }],
    };

    private static ListOffsetsRequest Find(string topic, int partition, long time, sbyte isolation = 0, int epoch = -1) => new()
    {
        ReplicaId = -1,
        IsolationLevel = isolation,
        TimeoutMs = 5000,
        Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = partition, Timestamp = time, CurrentLeaderEpoch = epoch }] }],
    };

    private static OffsetForLeaderEpochRequest Epoch(string topic, int partition, int epoch) =>
        new() { Topics = [new() { Name = topic, Partitions = [new() { Index = partition, LeaderEpoch = epoch }] }] };

    private static DeleteRecordsRequest Delete(string topic, int partition, long offset) =>
        new() { TimeoutMs = 5000, Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = partition, Offset = offset }] }] };
}
