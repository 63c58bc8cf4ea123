using LogPipeline.Client.Producing;
using LogPipeline.Protocol.Compression;
using Apply = System.Func<LogPipeline.Client.Producing.ProducerOptions, string, string, LogPipeline.Client.Producing.ProducerOptions>;

namespace LogPipeline.Cli.KafkaTools;

/// <summary>Kafka's names of producer settings, as far as our producer has what they mean.</summary>
internal static class ProducerProperties
{
    private const int BatchBytesMin = 256;

    private static readonly Dictionary<string, Apply> Known = new(StringComparer.Ordinal)
    {
        ["acks"] = static (options, name, value) => options with { Acks = AcksOf(name, value) },
        ["enable.idempotence"] = static (options, name, value) => options with { Idempotent = PropertyValue.Flag(name, value) },
        ["compression.type"] = static (options, name, value) => options with { Compression = Codec(name, value) },
        ["linger.ms"] = static (options, name, value) => options with { Linger = PropertyValue.Milliseconds(name, value) },
        ["batch.size"] = static (options, name, value) => options with { BatchBytes = Math.Max(BatchBytesMin, PropertyValue.Int(name, value)) },
        ["buffer.memory"] = static (options, name, value) => options with { BufferBytes = PropertyValue.Long(name, value) },
        ["max.request.size"] = static (options, name, value) => options with { RequestBytesMax = PropertyValue.Int(name, value) },
        ["delivery.timeout.ms"] = static (options, name, value) => options with { DeliveryTimeout = PropertyValue.Milliseconds(name, value) },
        ["max.in.flight.requests.per.connection"] = static (options, name, value) => options with { InFlightMax = PropertyValue.Int(name, value) },
    };

    /// <summary>The names that <see cref="Options"/> reads.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <exception cref="KafkaToolException">A value cannot be.</exception>
    public static ProducerOptions Options(IReadOnlyDictionary<string, string> properties)
    {
        var options = new ProducerOptions();
        foreach ((string name, string value) in properties)
        {
            options = Known.TryGetValue(name, out Apply? apply) ? apply(options, name, value) : options;
        }
        return options with
        {
            Idempotent = options.Idempotent && options.Acks == Acks.All,
            BatchBytes = (int)Math.Min(options.BatchBytes, Math.Max(BatchBytesMin, options.BufferBytes)),
        };
    }

    private static Acks AcksOf(string name, string value) => value switch
    {
        "all" or "-1" => Acks.All,
        "1" => Acks.Leader,
        "0" => Acks.None,
        _ => throw PropertyValue.Wrong(name, value),
    };

    private static CompressionCodec Codec(string name, string value) => value switch
    {
        "none" => CompressionCodec.None,
        "gzip" => CompressionCodec.Gzip,
        "snappy" => CompressionCodec.Snappy,
        "lz4" => CompressionCodec.Lz4,
        "zstd" => CompressionCodec.Zstd,
        _ => throw PropertyValue.Wrong(name, value),
    };
}
