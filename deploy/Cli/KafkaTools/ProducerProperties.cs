using System.Globalization;
using LogPipeline.Client.Producing;
using LogPipeline.Protocol.Compression;

namespace LogPipeline.Cli.KafkaTools;

/// <summary>Kafka's names of producer settings, as far as our producer has what they mean; the others are ignored with a warning.</summary>
internal static class ProducerProperties
{
    /// <summary>Tuning that ours does in its own way: no warning is worth reading.</summary>
    private static readonly HashSet<string> WithoutEffect = new(StringComparer.Ordinal)
    {
        "bootstrap.servers", "security.protocol", "client.id", "buffer.memory", "max.block.ms", "max.request.size", "retries", "retry.backoff.ms", "request.timeout.ms",
        "send.buffer.bytes", "receive.buffer.bytes", "metadata.max.age.ms", "key.serializer", "value.serializer", "max.in.flight.requests.per.connection",
    };

    /// <exception cref="KafkaToolException">A value cannot be.</exception>
    public static ProducerOptions Options(IReadOnlyDictionary<string, string> properties)
    {
        Acks acks = properties.GetValueOrDefault("acks", "all") switch
        {
            "all" or "-1" => Acks.All,
            "1" => Acks.Leader,
            "0" => Acks.None,
            string wrong => throw Wrong("acks", wrong),
        };
        var options = new ProducerOptions
        {
            Acks = acks,
            Idempotent = acks == Acks.All && properties.GetValueOrDefault("enable.idempotence", "true") == "true",
            Compression = Codec(properties.GetValueOrDefault("compression.type", "none")),
        };
        foreach ((string name, string value) in properties)
        {
            options = name switch
            {
                "linger.ms" => options with { Linger = Milliseconds(name, value) },
                "batch.size" => options with { BatchBytes = Math.Max(256, (int)Math.Min(Number(name, value), options.BufferBytes)) },
                "delivery.timeout.ms" => options with { DeliveryTimeout = Milliseconds(name, value) },
                "acks" or "enable.idempotence" or "compression.type" => options,
                _ => Ignored(name, options),
            };
        }
        return options;
    }

    private static ProducerOptions Ignored(string name, ProducerOptions options)
    {
        if (!WithoutEffect.Contains(name))
        {
            Console.Error.WriteLine($"WARN the configuration {name} is unknown here and ignored");
        }
        return options;
    }

    private static CompressionCodec Codec(string name) => name switch
    {
        "none" => CompressionCodec.None,
        "gzip" => CompressionCodec.Gzip,
        "snappy" => CompressionCodec.Snappy,
        "lz4" => CompressionCodec.Lz4,
        "zstd" => CompressionCodec.Zstd,
        _ => throw Wrong("compression.type", name),
    };

    private static TimeSpan Milliseconds(string name, string value) => TimeSpan.FromMilliseconds(Number(name, value));

    private static long Number(string name, string value) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number <= int.MaxValue ? number : throw Wrong(name, value);

    private static KafkaToolException Wrong(string name, string value) =>
        new($"Invalid value {value} for configuration {name}", "org.apache.kafka.common.config.ConfigException");
}
