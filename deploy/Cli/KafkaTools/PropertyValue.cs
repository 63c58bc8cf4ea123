using System.Globalization;

namespace LogPipeline.Cli.KafkaTools;

/// <summary>Reads the values of Kafka's client properties; what cannot be is refused as Kafka's clients do.</summary>
internal static class PropertyValue
{
    public static long Long(string name, string value) =>
        long.TryParse(value.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : throw Wrong(name, value);

    public static int Int(string name, string value) => Long(name, value) is <= int.MaxValue and var number ? (int)number : throw Wrong(name, value);

    public static TimeSpan Milliseconds(string name, string value) => TimeSpan.FromMilliseconds(Int(name, value));

    /// <summary>A time that may not be 0.</summary>
    public static TimeSpan Timeout(string name, string value) => Milliseconds(name, value) is var time && time > TimeSpan.Zero ? time : throw Wrong(name, value);

    public static bool Flag(string name, string value) => value.Trim().ToLowerInvariant() switch
    {
        "true" => true,
        "false" => false,
        _ => throw Wrong(name, value),
    };

    public static KafkaToolException Wrong(string name, string value) =>
        new($"Invalid value {value} for configuration {name}", "org.apache.kafka.common.config.ConfigException");
}
