using System.Globalization;

namespace LogPipeline.Broker.Settings;

/// <summary>Kafka's types of settings, by their numbers in DescribeConfigs.</summary>
internal enum SettingType : sbyte
{
    Boolean = 1,
    String = 2,
    Int = 3,
    Short = 4,
    Long = 5,
    Double = 6,
    List = 7,
}

/// <summary>Where a value comes from, by the numbers in DescribeConfigs.</summary>
internal enum SettingSource : sbyte
{
    Topic = 1,
    DynamicBroker = 2,
    DynamicCluster = 3,
    StaticBroker = 4,
    Default = 5,
}

/// <summary>One setting: name, type, default and what values it takes.</summary>
internal sealed record SettingDefinition(string Name, SettingType Type, string? Default, string Documentation)
{
    public long Min { get; init; } = long.MinValue;

    public long Max { get; init; } = long.MaxValue;

    /// <summary>A number outside <see cref="Min"/> and <see cref="Max"/> that is taken too.</summary>
    public long? Besides { get; init; }

    /// <summary>The values a string or the elements of a list may have; any when null.</summary>
    public string[]? Allowed { get; init; }

    /// <summary>For a topic setting: the broker setting that is its default.</summary>
    public string? BrokerName { get; init; }

    /// <summary>False when the name is Kafka's, is accepted, and changes nothing here.</summary>
    public bool HasEffect { get; init; } = true;

    /// <summary>For a setting with some values that change nothing here: what to say of a value; null when it does something.</summary>
    public Func<string, string?> WithoutEffect { get; init; } = static _ => null;

    /// <summary>
    /// What a client is told that has given settings a value: which of them are known from Kafka, were taken, and change nothing here;
    /// null when each does something.
    /// </summary>
    public static string? RemarkOn(IEnumerable<(SettingDefinition Setting, string Value)> given)
    {
        List<string> idle = [.. given.Select(static one => one.Setting.RemarkOn(one.Value)).OfType<string>()];
        return idle.Count == 0 ? null : string.Join(' ', idle);
    }

    /// <summary>The same for one value.</summary>
    public string? RemarkOn(string value) =>
        !HasEffect ? $"{Name} has no effect here: {Documentation}"
        : WithoutEffect(value) is { } remark ? $"{Name}={value} has no effect here: {remark}"
        : null;

    /// <summary>What is wrong with a value, in Kafka's words; null when nothing is.</summary>
    public string? Problem(string value) => Type switch
    {
        SettingType.Boolean => value.Trim().ToLowerInvariant() is "true" or "false" ? null : Wrong(value, "Expected value to be either true or false"),
        SettingType.Int => Number(value, int.MinValue, int.MaxValue, "INT"),
        SettingType.Short => Number(value, short.MinValue, short.MaxValue, "SHORT"),
        SettingType.Long => Number(value, long.MinValue, long.MaxValue, "LONG"),
        SettingType.Double => double.TryParse(value, CultureInfo.InvariantCulture, out double number)
            ? OutOfRange(value, number)
            : Wrong(value, "Not a number of type DOUBLE"),
        _ => Allowed is null ? null : OneOf(value),
    };

    private string? Number(string value, long typeMin, long typeMax, string type)
    {
        if (!long.TryParse(value.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            || number < typeMin || number > typeMax)
        {
            return Wrong(value, $"Not a number of type {type}");
        }
        return number == Besides ? null
            : Besides is { } besides && (number < Min || number > Max) ? Wrong(value, $"Value must be between {Min} and {Max} or equal to {besides}")
            : number < Min ? Wrong(value, $"Value must be at least {Min}")
            : number > Max ? Wrong(value, $"Value must be no more than {Max}")
            : null;
    }

    private string? OutOfRange(string value, double number) =>
        number >= Min && (number <= Max || Max == long.MaxValue) ? null : Wrong(value, number < Min ? $"Value must be at least {Min}" : $"Value must be no more than {Max}");

    private string? OneOf(string value)
    {
        string[] values = Type == SettingType.List ? value.Split(',', StringSplitOptions.TrimEntries) : [value];
        return values.All(v => Allowed!.Contains(v, StringComparer.Ordinal))
            ? null
            : Wrong(value, $"String must be one of: {string.Join(", ", Allowed!)}");
    }

    private string Wrong(string value, string why) => $"Invalid value {value} for configuration {Name}: {why}";
}
