using System.Globalization;
using LogPipeline.Protocol.Compression;

namespace LogPipeline.Broker.Settings;

/// <summary>A topic's settings that decide what becomes of records on their way into the log and out of it.</summary>
/// <param name="OfBroker">The broker's changed settings that these were made with.</param>
/// <param name="Codec">How batches are compressed in the log; null: as their producer did.</param>
/// <param name="Level">How hard, on the codec's own scale; null for its fast choice.</param>
/// <param name="ConvertsDown">Whether clients that know only formats 0 and 1 may read.</param>
internal sealed record RecordSettings(DynamicSettings OfBroker, CompressionCodec? Codec, int? Level, bool ConvertsDown)
{
    /// <summary>What Kafka's -1 for gzip stands for.</summary>
    private const int GzipDefaultLevel = 6;

    public static RecordSettings Of(TopicSettings topic, DynamicSettings ofBroker)
    {
        string Text(string name) => topic.Value(TopicSettingTable.Find(name)!)!;
        int Number(string name) => int.Parse(Text(name), CultureInfo.InvariantCulture);
        (CompressionCodec? codec, int? level) = Text("compression.type") switch
        {
            "uncompressed" => (CompressionCodec.None, null),
            "gzip" => (CompressionCodec.Gzip, Number("compression.gzip.level") is > 0 and var given ? given : GzipDefaultLevel),
            "snappy" => (CompressionCodec.Snappy, null),
            "lz4" => (CompressionCodec.Lz4, Number("compression.lz4.level")),
            "zstd" => (CompressionCodec.Zstd, Number("compression.zstd.level")),
            _ => ((CompressionCodec?)null, (int?)null),
        };
        return new RecordSettings(ofBroker, codec, level, bool.Parse(Text("message.downconversion.enable")));
    }
}
