using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace LogPipeline.Hosting.Configuration;

/// <summary>Reads YAML text into nodes that know the line they came from.</summary>
internal static class YamlTree
{
    /// <exception cref="ConfigurationException">The text is not YAML, or not a group of keys.</exception>
    public static MapNode Read(string text, string file)
    {
        ConfigurationNode? root = ReadNode(text, line => $"{file}:{line}");
        return root switch
        {
            null or ScalarNode { IsNull: true } => new MapNode($"{file}:1", []),
            MapNode map => map,
            _ => throw new ConfigurationException($"{root.Origin}: expected keys such as 'broker:', 'agent:' or 'sinks:', found {root.Kind}"),
        };
    }

    /// <summary>One value, as in an environment variable: a plain scalar, or YAML's short forms <c>[a, b]</c> and <c>{a: b}</c>.</summary>
    public static ConfigurationNode ReadValue(string text, string origin)
        => text.StartsWith('[') || text.StartsWith('{')
            ? ReadNode(text, _ => origin) ?? new ScalarNode(origin, "", isNull: true)
            : new ScalarNode(origin, text);

    private static ConfigurationNode? ReadNode(string text, Func<long, string> origin)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new ConfigurationException($"{origin(e.Start.Line)}: not valid YAML: {Reason(e)}");
        }
        return stream.Documents.Count == 0 ? null : Convert(stream.Documents[0].RootNode, origin, origin(1));
    }

    // A value is said to be where its key is: what stands below the key may begin lines later.
    private static ConfigurationNode Convert(YamlNode node, Func<long, string> origin, string at) => node switch
    {
        YamlMappingNode map => new MapNode(at, [.. map.Children.Select(child => Entry(child.Key, child.Value, origin))]),
        YamlSequenceNode list => new ListNode(at, [.. list.Children.Select(child => Convert(child, origin, origin(child.Start.Line)))]),
        YamlScalarNode scalar => new ScalarNode(at, scalar.Value ?? "", IsNull(scalar)),
        _ => throw new ConfigurationException($"{at}: expected a value, a list or keys"),
    };

    private static KeyValuePair<string, ConfigurationNode> Entry(YamlNode key, YamlNode value, Func<long, string> origin)
        => KeyValuePair.Create(Key(key, origin), Convert(value, origin, origin(key.Start.Line)));

    private static string Key(YamlNode key, Func<long, string> origin)
        => key is YamlScalarNode { Value: { } name } ? name : throw new ConfigurationException($"{origin(key.Start.Line)}: a key must be a plain word");

    private static bool IsNull(YamlScalarNode scalar) => scalar.Style == ScalarStyle.Plain && scalar.Value is null or "" or "~" or "null";

    // YamlDotNet repeats the position in front of some messages; ours is already in the line.
    private static string Reason(YamlException e)
    {
        string message = (e.InnerException ?? e).Message;
        int end = message.StartsWith('(') ? message.IndexOf("): ", StringComparison.Ordinal) : -1;
        return end < 0 ? message : message[(end + 3)..];
    }
}
