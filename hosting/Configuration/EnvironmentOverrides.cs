using System.Globalization;

namespace LogPipeline.Hosting.Configuration;

/// <summary>
/// Lays variables such as <c>LOGPIPE__AGENT__INPUTS__0__TOPIC=web_log</c> over the tree: two underscores stand for a step down, a number for
/// a place in a list (the next free one adds an item). Case does not matter, and a dot in a key may be written as one underscore.
/// </summary>
internal static class EnvironmentOverrides
{
    private const string Prefix = "LOGPIPE__";

    public static void Apply(MapNode root, IEnumerable<KeyValuePair<string, string>> environment)
    {
        // Sorted, so that LOGPIPE__A__0 comes before LOGPIPE__A__1 wherever the process got them from.
        foreach ((string? name, string? value) in environment.Where(v => v.Key.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
                     .OrderBy(v => v.Key, StringComparer.OrdinalIgnoreCase))
        {
            string origin = $"environment {name}";
            Set(root, name[Prefix.Length..].Split("__"), YamlTree.ReadValue(value, origin), origin);
        }
    }

    private static void Set(ConfigurationNode parent, ReadOnlySpan<string> steps, ConfigurationNode value, string origin)
    {
        Place at = parent switch
        {
            MapNode map => Entry(map, steps[0], origin),
            ListNode list => Item(list, steps[0], origin),
            _ => throw new ConfigurationException($"{origin}: there is nothing below {parent.Kind} ({parent.Origin})"),
        };
        if (steps.Length == 1)
        {
            at.Replace(value);
            return;
        }
        if (at.Read() is null or ScalarNode { IsNull: true })
        {
            at.Replace(int.TryParse(steps[1], CultureInfo.InvariantCulture, out _) ? new ListNode(origin, []) : new MapNode(origin, []));
        }
        Set(at.Read()!, steps[1..], value, origin);
    }

    private static Place Entry(MapNode map, string step, string origin)
    {
        if (step.Length == 0)
        {
            throw new ConfigurationException($"{origin}: a step in the name is empty");
        }
        int index = map.Entries.FindIndex(entry => Same(entry.Key, step));
        string key = index < 0 ? step.ToLowerInvariant() : map.Entries[index].Key;
        return new Place(() => index < 0 ? null : map.Entries[index].Value, node =>
        {
            if (index < 0)
            {
                index = map.Entries.Count;
                map.Entries.Add(default);
            }
            map.Entries[index] = KeyValuePair.Create(key, node);
        });
    }

    private static Place Item(ListNode list, string step, string origin)
    {
        if (!int.TryParse(step, CultureInfo.InvariantCulture, out int index) || index < 0 || index > list.Items.Count)
        {
            throw new ConfigurationException($"{origin}: '{step}' is no place in this list of {list.Items.Count}; write 0 to {list.Items.Count}");
        }
        return new Place(() => index < list.Items.Count ? list.Items[index] : null, node =>
        {
            if (index == list.Items.Count)
            {
                list.Items.Add(node);
            }
            else
            {
                list.Items[index] = node;
            }
        });
    }

    private static bool Same(string key, string step) => string.Equals(key.Replace('.', '_'), step.Replace('.', '_'), StringComparison.OrdinalIgnoreCase);

    private readonly record struct Place(Func<ConfigurationNode?> Read, Action<ConfigurationNode> Replace);
}
