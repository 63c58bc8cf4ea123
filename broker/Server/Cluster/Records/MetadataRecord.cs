using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Cluster.Records;

/// <summary>
/// The value of a record in the metadata log. Messages are flexible in all versions:
/// <code>
/// uvarint frame version (1) | uvarint record type | uvarint record version | message
/// </code>
/// </summary>
internal static class MetadataRecord
{
    private const int FrameVersion = 1;

    public static FrameBuffer Encode(IMetadataRecord record)
    {
        var buffer = new FrameBuffer();
        WriteNumber(buffer, FrameVersion);
        WriteNumber(buffer, record.Type);
        WriteNumber(buffer, record.Version);
        var wire = new WireWriter(buffer, record.Version, flexible: true);
        record.Transfer(ref wire);
        return buffer;
    }

    /// <exception cref="InvalidDataException">It is not a record that this version of the program knows.</exception>
    public static IMetadataRecord Decode(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            int frame = ReadNumber(ref bytes);
            int type = ReadNumber(ref bytes);
            int version = ReadNumber(ref bytes);
            IMetadataRecord? record = frame == FrameVersion ? Empty(type) : null;
            if (record is null || record.Version != version)
            {
                throw new InvalidDataException(
                    $"Metadata records of type {type}, version {version}, frame version {frame} are not known here. "
                    + "A newer program wrote them: start that one.");
            }
            var wire = new WireReader(bytes, record.Version, flexible: true);
            record.Transfer(ref wire);
            return record;
        }
        catch (MalformedMessageException e)
        {
            throw new InvalidDataException($"A metadata record is damaged: {e.Message}", e);
        }
    }

    private static IMetadataRecord? Empty(int type) => type switch
    {
        RegisterBrokerRecord.TypeId => new RegisterBrokerRecord(),
        TopicRecord.TypeId => new TopicRecord(),
        PartitionRecord.TypeId => new PartitionRecord(),
        ConfigRecord.TypeId => new ConfigRecord(),
        PartitionChangeRecord.TypeId => new PartitionChangeRecord(),
        RemoveTopicRecord.TypeId => new RemoveTopicRecord(),
        FeatureLevelRecord.TypeId => new FeatureLevelRecord(),
        _ => null,
    };

    private static void WriteNumber(FrameBuffer buffer, int value) =>
        Varint.WriteUnsigned(buffer.Append(Varint.UnsignedSize((ulong)value)), (ulong)value);

    private static int ReadNumber(ref ReadOnlyMemory<byte> bytes)
    {
        if (!Varint.TryReadUnsigned(bytes.Span, out ulong value, out int size) || value > (ulong)short.MaxValue)
        {
            throw new MalformedMessageException("no frame", 0);
        }
        bytes = bytes[size..];
        return (int)value;
    }
}
