namespace LogPipeline.Hosting.Configuration;

/// <summary>A value of the configuration and where it was written: <c>logpipe.yaml:12</c> or <c>environment LOGPIPE__…</c>.</summary>
public abstract class ConfigurationNode(string origin)
{
    public string Origin { get; } = origin;

    /// <summary>What this is, as an error names it: "a list" in "expected a duration, found a list".</summary>
    internal abstract string Kind { get; }
}

public sealed class ScalarNode(string origin, string value, bool isNull = false) : ConfigurationNode(origin)
{
    public string Value { get; } = value;

    /// <summary>A key with nothing behind it: counts as left out.</summary>
    public bool IsNull { get; } = isNull;

    internal override string Kind => $"'{Value}'";
}

public sealed class ListNode(string origin, List<ConfigurationNode> items) : ConfigurationNode(origin)
{
    public List<ConfigurationNode> Items { get; } = items;

    internal override string Kind => "a list";
}

/// <summary>Keys in the order in which they were written.</summary>
public sealed class MapNode(string origin, List<KeyValuePair<string, ConfigurationNode>> entries) : ConfigurationNode(origin)
{
    public List<KeyValuePair<string, ConfigurationNode>> Entries { get; } = entries;

    internal override string Kind => "a group of keys";

    public ConfigurationNode? Find(string key) => Entries.Find(entry => entry.Key == key).Value;
}
