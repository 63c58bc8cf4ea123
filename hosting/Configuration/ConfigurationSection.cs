using System.Globalization;
using LogPipeline.Files;

namespace LogPipeline.Hosting.Configuration;

/// <summary>
/// A group of keys being read. Every getter remembers the key it was asked for, so after a reader has taken what it knows,
/// <see cref="Close"/> can say which keys nobody knows: the code that binds a section is its only schema.
/// </summary>
public sealed class ConfigurationSection(MapNode map, string path)
{
    private readonly SortedSet<string> _known = new(StringComparer.Ordinal);
    private string? _missing;

    /// <summary>Where this section is, such as <c>agent.inputs[0]</c>; empty at the top.</summary>
    public string Path { get; } = path;

    /// <summary>Where this section was written, such as <c>logpipe.yaml:12</c>.</summary>
    public string Origin => map.Origin;

    public bool Has(string key) => Value(key) is not null;

    public string Text(string key, string otherwise) => TextOrNull(key) ?? otherwise;

    public string? TextOrNull(string key) => Value(key) switch
    {
        null => null,
        ScalarNode scalar => scalar.Value,
        var other => throw Wrong(other, key, "a text"),
    };

    /// <summary>A text that has to be there; <paramref name="why"/> says what it is for, with an example.</summary>
    public string Required(string key, string why)
    {
        if (TextOrNull(key) is { Length: > 0 } text)
        {
            return text;
        }
        Missing(key, why);
        return "";
    }

    /// <summary>Notes a key that has to be there. Told by <see cref="Close"/>, after unknown keys: one of those may be the missing one, misspelt.</summary>
    public void Missing(string key, string why) => _missing ??= $"{Origin}: {Name(key)} is missing: {why}";

    public bool Flag(string key, bool otherwise) => Value(key) switch
    {
        null => otherwise,
        ScalarNode { Value: "true" } => true,
        ScalarNode { Value: "false" } => false,
        var other => throw Wrong(other, key, "true or false"),
    };

    public int Count(string key, int otherwise, int least, int most = int.MaxValue) => Value(key) switch
    {
        null => otherwise,
        ScalarNode scalar when int.TryParse(scalar.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
            && number >= least && number <= most => number,
        var other => throw Wrong(other, key, most == int.MaxValue ? $"a whole number from {least}" : $"a whole number from {least} to {most}"),
    };

    public TimeSpan Duration(string key, TimeSpan otherwise) => Value(key) is { } value ? ReadDuration(value, key, "") : otherwise;

    /// <summary>A duration, or null for the word <c>auto</c>.</summary>
    public TimeSpan? DurationOrAuto(string key, TimeSpan? otherwise) => Value(key) switch
    {
        null => otherwise,
        ScalarNode { Value: "auto" } => null,
        var other => ReadDuration(other, key, "auto, or "),
    };

    /// <summary>A size in bytes.</summary>
    public long Size(string key, long otherwise, long least = 0, long most = long.MaxValue) => Value(key) switch
    {
        null => otherwise,
        ScalarNode scalar when Quantity.TryParseSize(scalar.Value, out long bytes) && bytes >= least && bytes <= most => bytes,
        var other => throw Wrong(other, key, most == long.MaxValue
            ? "a size such as 64KiB or 1GiB"
            : $"a size from {Quantity.Format(least)} to {Quantity.Format(most)}"),
    };

    /// <summary>One of a few words.</summary>
    public T Choice<T>(string key, T otherwise, params ReadOnlySpan<(string Word, T Meaning)> choices)
    {
        if (Value(key) is not { } node)
        {
            return otherwise;
        }
        foreach ((string? word, T? meaning) in choices)
        {
            if (node is ScalarNode scalar && string.Equals(scalar.Value, word, StringComparison.OrdinalIgnoreCase))
            {
                return meaning;
            }
        }
        var words = new List<string>();
        foreach ((string? word, T _) in choices)
        {
            words.Add(word);
        }
        throw Wrong(node, key, words.Count == 1 ? $"'{words[0]}'" : $"{string.Join(", ", words[..^1])} or {words[^1]}");
    }

    /// <summary>A list of texts; a single text counts as a list of one.</summary>
    public IReadOnlyList<string> Texts(string key, IReadOnlyList<string> otherwise) => Value(key) switch
    {
        null => otherwise,
        ScalarNode scalar => [scalar.Value],
        ListNode list when list.Items.TrueForAll(item => item is ScalarNode { IsNull: false }) => [.. list.Items.Select(item => ((ScalarNode)item).Value)],
        var other => throw Wrong(other, key, "a list of texts, such as [a, b]"),
    };

    /// <summary>A list of texts and sections; empty when the key is left out.</summary>
    public IReadOnlyList<(string? Text, ConfigurationSection? Section)> Items(string key) => Value(key) switch
    {
        null => [],
        ListNode list => [.. list.Items.Select((item, i) => item switch
        {
            MapNode below => ((string?)null, (ConfigurationSection?)new ConfigurationSection(below, $"{Name(key)}[{i}]")),
            ScalarNode { IsNull: false } scalar => (scalar.Value, null),
            _ => throw Wrong(item, $"{key}[{i}]", "a text, or keys below it"),
        })],
        var other => throw Wrong(other, key, "a list, such as [a, b]"),
    };

    /// <summary>Whether there are keys below a key, rather than a text.</summary>
    public bool IsGroup(string key) => Value(key) is MapNode;

    /// <summary>The section below a key; an empty one when the key is left out.</summary>
    public ConfigurationSection Section(string key) => SectionOrNull(key) ?? new ConfigurationSection(new MapNode(Origin, []), Name(key));

    public ConfigurationSection? SectionOrNull(string key) => Value(key) switch
    {
        null => null,
        MapNode below => new ConfigurationSection(below, Name(key)),
        var other => throw Wrong(other, key, "keys below it"),
    };

    /// <summary>A list of sections; empty when the key is left out.</summary>
    public IReadOnlyList<ConfigurationSection> Sections(string key)
    {
        switch (Value(key))
        {
            case null:
                return [];
            case ListNode list:
                return [.. list.Items.Select((item, i) => item is MapNode below
                    ? new ConfigurationSection(below, $"{Name(key)}[{i}]")
                    : throw Wrong(item, $"{key}[{i}]", "keys below it"))];
            case var other:
                throw Wrong(other, key, "a list, each item beginning with '-'");
        }
    }

    /// <summary>All keys here as texts, for groups whose names are not ours, such as Kafka's settings.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Pairs()
    {
        foreach ((string? key, ConfigurationNode _) in map.Entries)
        {
            _known.Add(key);
        }
        return [.. map.Entries.Where(entry => entry.Value is not ScalarNode { IsNull: true }).Select(entry => KeyValuePair.Create(entry.Key, Text(entry.Key, "")))];
    }

    /// <summary>Where a key was written, for errors that are found later.</summary>
    public string OriginOf(string key) => map.Find(key)?.Origin ?? Origin;

    /// <summary>The full name of a key, such as <c>agent.inputs[0].topic</c>.</summary>
    public string Name(string key) => Path.Length == 0 ? key : $"{Path}.{key}";

    /// <summary>Accepts keys that another process reads.</summary>
    public void Leave(params ReadOnlySpan<string> keys)
    {
        foreach (string key in keys)
        {
            _known.Add(key);
        }
    }

    /// <exception cref="ConfigurationException">A key is here that nobody asked for, or one is not that has to be.</exception>
    public void Close()
    {
        foreach ((string? key, ConfigurationNode? node) in map.Entries)
        {
            if (_known.Contains(key))
            {
                continue;
            }
            string under = Path.Length == 0 ? "" : $" under {Path}";
            string advice = NearestName.Find(key, _known) is { } near ? $"did you mean '{near}'?" : $"known here: {string.Join(", ", _known)}";
            throw new ConfigurationException($"{node.Origin}: unknown key '{key}'{under}; {advice}");
        }
        if (_missing is not null)
        {
            throw new ConfigurationException(_missing);
        }
    }

    private ConfigurationNode? Value(string key)
    {
        _known.Add(key);
        return map.Find(key) is { } node and not ScalarNode { IsNull: true } ? node : null;
    }

    private TimeSpan ReadDuration(ConfigurationNode node, string key, string orElse) =>
        node is ScalarNode scalar && Quantity.TryParseDuration(scalar.Value, out TimeSpan duration) ? duration
            : throw Wrong(node, key, $"{orElse}a duration with its unit, such as 200ms, 5s or 1h");

    private ConfigurationException Wrong(ConfigurationNode node, string key, string wanted)
        => new($"{node.Origin}: {Name(key)} should be {wanted}, not {node.Kind}");
}
