using System.Buffers.Binary;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Groups;

// Records of __consumer_offsets, as Kafka writes them. A key or value is a version i16 and then fields in the protocol's own encoding:
//   key   0, 1: group str, topic str, partition i32       (a committed offset)      key   2: group str      (a group's members)
//   value 0-3:  see OffsetValue; version 4 is flexible     value 0-3: see GroupValue; version 4 is flexible   no value: a tombstone
/// <summary>Encodes and decodes keys and values.</summary>
internal static class GroupRecords
{
    public const short OffsetKeyVersion = 1;
    public const short GroupKeyVersion = 2;
    public const short ValueVersion = 3;
    private const short ExpiringValueVersion = 1;

    private const short FlexibleFrom = 4;
    private const short ValueVersionMax = 4;

    /// <summary>The bytes of a key or value: its version and its fields.</summary>
    public static FrameBuffer Encode<T>(T fields, short version)
        where T : class, IWireStruct
    {
        var buffer = new FrameBuffer();
        BinaryPrimitives.WriteInt16BigEndian(buffer.Append(2), version);
        var wire = new WireWriter(buffer, version, flexible: false);
        fields.Transfer(ref wire);
        return buffer;
    }

    /// <summary>The record of a committed offset; without a value, the one that removes it.</summary>
    public static GroupRecord Offset(string group, string topic, int partition, OffsetValue? value) => new(
        Encode(new OffsetKey { Group = group, Topic = topic, Partition = partition }, OffsetKeyVersion),
        value is null ? null : Encode(value, ValueVersion));

    /// <summary>The record of an offset as it was committed; one that says itself when it expires keeps the version in which it can.</summary>
    public static GroupRecord Offset(string group, string topic, int partition, in CommittedOffset committed)
    {
        var value = new OffsetValue
        {
            Offset = committed.Offset,
            LeaderEpoch = committed.LeaderEpoch,
            Metadata = committed.Metadata,
            CommitTimestamp = committed.CommittedAt,
            ExpireTimestamp = committed.ExpiresAt ?? -1,
        };
        return new(
            Encode(new OffsetKey { Group = group, Topic = topic, Partition = partition }, OffsetKeyVersion),
            Encode(value, committed.ExpiresAt is null ? ValueVersion : ExpiringValueVersion));
    }

    /// <summary>The record of a group's metadata; without a value, the one that removes it.</summary>
    public static GroupRecord Group(string group, GroupValue? value) =>
        new(Encode(new GroupKey { Group = group }, GroupKeyVersion), value is null ? null : Encode(value, ValueVersion));

    /// <summary>Reads the fields of a value.</summary>
    /// <exception cref="MalformedMessageException">The bytes are no such value, or its version is unknown.</exception>
    public static T DecodeValue<T>(ReadOnlyMemory<byte> bytes)
        where T : class, IWireStruct, new()
    {
        short version = Version(bytes);
        if (version is < 0 or > ValueVersionMax)
        {
            throw new MalformedMessageException($"a value of version {version}", 0);
        }
        var reader = new WireReader(bytes[2..], version, flexible: version >= FlexibleFrom);
        var fields = new T();
        fields.Transfer(ref reader);
        return fields;
    }

    /// <summary>Reads the fields of a key; keys are never flexible.</summary>
    /// <exception cref="MalformedMessageException">The bytes are no such key.</exception>
    public static T DecodeKey<T>(ReadOnlyMemory<byte> bytes)
        where T : class, IWireStruct, new()
    {
        var reader = new WireReader(bytes[2..], Version(bytes), flexible: false);
        var fields = new T();
        fields.Transfer(ref reader);
        return fields;
    }

    /// <summary>The version that a key or value begins with.</summary>
    /// <exception cref="MalformedMessageException">It is too short.</exception>
    public static short Version(ReadOnlyMemory<byte> bytes) => bytes.Length >= 2
        ? BinaryPrimitives.ReadInt16BigEndian(bytes.Span)
        : throw new MalformedMessageException("no version", 0);
}

/// <summary>Key of a committed offset.</summary>
internal sealed class OffsetKey : IWireStruct
{
    public string Group = "";
    public string Topic = "";
    public int Partition;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.String(ref Group);
        wire.String(ref Topic);
        wire.Int32(ref Partition);
    }
}

/// <summary>Value of a committed offset.</summary>
internal sealed class OffsetValue : IWireStruct
{
    public long Offset;
    public int LeaderEpoch = -1;
    public string Metadata = "";
    public long CommitTimestamp;
    public long ExpireTimestamp = -1;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int64(ref Offset);
        if (wire.Version >= 3)
        {
            wire.Int32(ref LeaderEpoch);
        }
        wire.String(ref Metadata);
        wire.Int64(ref CommitTimestamp);
        if (wire.Version == 1)
        {
            wire.Int64(ref ExpireTimestamp);
        }
        wire.End();
    }
}

/// <summary>Key of a group's metadata.</summary>
internal sealed class GroupKey : IWireStruct
{
    public string Group = "";

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct => wire.String(ref Group);
}

/// <summary>A group's generation and members.</summary>
internal sealed class GroupValue : IWireStruct
{
    public string ProtocolType = "";
    public int Generation;
    public string? Protocol;
    public string? Leader;
    public long CurrentStateTimestamp = -1;
    public List<Member> Members = [];

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.String(ref ProtocolType);
        wire.Int32(ref Generation);
        wire.NullableString(ref Protocol);
        wire.NullableString(ref Leader);
        if (wire.Version >= 2)
        {
            wire.Int64(ref CurrentStateTimestamp);
        }
        wire.Array(ref Members);
        wire.End();
    }

    /// <summary>What no broker can have written; null when nothing is wrong.</summary>
    public string? Problem()
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        return Generation < 0 ? $"generation {Generation}"
            : Members.Find(member => member.SessionTimeoutMs <= 0) is { } silent ? $"session timeout {silent.SessionTimeoutMs} ms"
            : Members.Find(member => member.RebalanceTimeoutMs < -1) is { } slow ? $"rebalance timeout {slow.RebalanceTimeoutMs} ms"
            : Members.Find(member => !ids.Add(member.MemberId)) is { } twice ? $"member {twice.MemberId} twice"
            : null;
    }

    public sealed class Member : IWireStruct
    {
        public string MemberId = "";
        public string? GroupInstanceId;
        public string ClientId = "";
        public string ClientHost = "";
        public int RebalanceTimeoutMs = -1;
        public int SessionTimeoutMs;
        public ReadOnlyMemory<byte> Subscription;
        public ReadOnlyMemory<byte> Assignment;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref MemberId);
            if (wire.Version >= 3)
            {
                wire.NullableString(ref GroupInstanceId);
            }
            wire.String(ref ClientId);
            wire.String(ref ClientHost);
            if (wire.Version >= 1)
            {
                wire.Int32(ref RebalanceTimeoutMs);
            }
            wire.Int32(ref SessionTimeoutMs);
            wire.Bytes(ref Subscription);
            wire.Bytes(ref Assignment);
            wire.End();
        }
    }
}
