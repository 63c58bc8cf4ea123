using System.Buffers.Binary;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Client.Consuming.Assignors;

/// <summary>
/// The blobs that members of protocol type <c>consumer</c> exchange through the broker, big-endian, never flexible:
/// <code>
/// subscription: version i16 | topics str[] | user data bytes? | v1: owned (topic str, partitions i32[])[] | v2: generation i32
/// assignment:   version i16 | assigned (topic str, partitions i32[])[] | user data bytes?
/// </code>
/// Newer versions only append, so the known part of any version is read.
/// </summary>
internal static class ConsumerProtocol
{
    public const string Type = "consumer";
    private const short SubscriptionVersion = 2;

    public static ReadOnlyMemory<byte> WriteSubscription(Subscription subscription)
    {
        using var frame = new FrameBuffer();
        BinaryPrimitives.WriteInt16BigEndian(frame.Append(2), SubscriptionVersion);
        var wire = new WireWriter(frame, SubscriptionVersion, flexible: false);
        List<string> topics = [.. subscription.Topics];
        ReadOnlyMemory<byte>? userData = subscription.UserData;
        int generation = subscription.Generation;
        wire.StringArray(ref topics);
        wire.NullableBytes(ref userData);
        List<TopicPartitions> owned = Grouped(subscription.Owned);
        wire.Array(ref owned);
        wire.Int32(ref generation);
        return frame.Bytes.ToArray();
    }

    public static Subscription ReadSubscription(ReadOnlyMemory<byte> blob)
    {
        short version = VersionOf(blob);
        var wire = new WireReader(blob[2..], version, flexible: false);
        List<string> topics = [];
        ReadOnlyMemory<byte>? userData = null;
        List<TopicPartitions> owned = [];
        int generation = -1;
        wire.StringArray(ref topics);
        wire.NullableBytes(ref userData);
        if (version >= 1)
        {
            wire.Array(ref owned);
        }
        if (version >= 2)
        {
            wire.Int32(ref generation);
        }
        return new Subscription(topics, Flat(owned), generation, userData);
    }

    public static ReadOnlyMemory<byte> WriteAssignment(IReadOnlyList<TopicPartition> partitions)
    {
        using var frame = new FrameBuffer();
        BinaryPrimitives.WriteInt16BigEndian(frame.Append(2), 0);
        var wire = new WireWriter(frame, 0, flexible: false);
        List<TopicPartitions> assigned = Grouped(partitions);
        ReadOnlyMemory<byte>? userData = null;
        wire.Array(ref assigned);
        wire.NullableBytes(ref userData);
        return frame.Bytes.ToArray();
    }

    /// <summary>The partitions, ordered; a zero-length blob means none.</summary>
    public static List<TopicPartition> ReadAssignment(ReadOnlyMemory<byte> blob)
    {
        if (blob.IsEmpty)
        {
            return [];
        }
        var wire = new WireReader(blob[2..], VersionOf(blob), flexible: false);
        List<TopicPartitions> assigned = [];
        wire.Array(ref assigned);
        return Flat(assigned);
    }

    /// <summary>User data of the eager sticky assignor: <c>owned (topic str, partitions i32[])[] | generation i32</c>.</summary>
    public static ReadOnlyMemory<byte> WriteStickyUserData(IReadOnlyList<TopicPartition> owned, int generation)
    {
        using var frame = new FrameBuffer();
        var wire = new WireWriter(frame, 1, flexible: false);
        List<TopicPartitions> grouped = Grouped(owned);
        wire.Array(ref grouped);
        wire.Int32(ref generation);
        return frame.Bytes.ToArray();
    }

    /// <summary>What the eager sticky assignor left; the older form ends before the generation.</summary>
    public static (List<TopicPartition> Owned, int Generation) ReadStickyUserData(ReadOnlyMemory<byte> data)
    {
        var wire = new WireReader(data, 1, flexible: false);
        List<TopicPartitions> owned = [];
        int generation = -1;
        wire.Array(ref owned);
        if (wire.Remaining >= sizeof(int))
        {
            wire.Int32(ref generation);
        }
        return (Flat(owned), generation);
    }

    private static short VersionOf(ReadOnlyMemory<byte> blob) => blob.Length >= 2
        ? BinaryPrimitives.ReadInt16BigEndian(blob.Span)
        : throw new MalformedMessageException("a group member's blob without a version", 0);

    private static List<TopicPartitions> Grouped(IReadOnlyList<TopicPartition> partitions) =>
    [
        .. partitions
            .GroupBy(p => p.Topic, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new TopicPartitions { Topic = g.Key, Partitions = [.. g.Select(p => p.Partition).Order()] }),
    ];

    private static List<TopicPartition> Flat(List<TopicPartitions> topics) =>
        [.. topics.SelectMany(t => t.Partitions.Select(p => new TopicPartition(t.Topic, p))).Order()];

    private sealed class TopicPartitions : IWireStruct
    {
        public string Topic = "";
        public List<int> Partitions = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Topic);
            wire.Int32Array(ref Partitions);
        }
    }
}

/// <summary>What a member wants and has.</summary>
/// <param name="Topics">Wanted.</param>
/// <param name="Owned">Had when it joined, ordered.</param>
/// <param name="Generation">In which it had them, -1 unknown.</param>
/// <param name="UserData">The assignor's own.</param>
internal sealed record Subscription(IReadOnlyList<string> Topics, IReadOnlyList<TopicPartition> Owned, int Generation, ReadOnlyMemory<byte>? UserData);
