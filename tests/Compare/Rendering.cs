using System.Collections;
using System.Globalization;
using System.Reflection;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Compare;

/// <summary>
/// An answer as lines <c>field=value</c>. What must differ between two brokers (ids, addresses, times, sizes) is only told as there or
/// not; elements of arrays come in the order of their names.
/// </summary>
internal static class Rendering
{
    private static readonly HashSet<string> Skipped = ["ThrottleTimeMs", "Documentation"];

    private static readonly HashSet<string> Masked =
    [
        "TopicId", "ClusterId", "Host", "Port", "LeaderEpoch", "CommittedLeaderEpoch", "Epoch", "ProducerId", "SessionId", "LogDir", "TotalBytes", "UsableBytes",
        "LogAppendTimeMs", "MemberId", "Leader", "LastFetchTimestamp", "LastCaughtUpTimestamp", "ReplicaDirectoryId", "FinalizedFeaturesEpoch",
        "HighWatermarkOfQuorum", "ErrorMessage", "Records", "PartitionSize", "ClientHost",
    ];

    public static IReadOnlyList<string> Lines(object message)
    {
        var lines = new List<string>();
        Add(lines, "", message);
        return lines;
    }

    private static void Add(List<string> lines, string path, object? value, string name = "")
    {
        switch (value)
        {
            case IWireStruct message:
                foreach (FieldInfo field in message.GetType().GetFields(BindingFlags.Public | BindingFlags.Instance).Where(static field => !Skipped.Contains(field.Name)))
                {
                    Add(lines, path.Length == 0 ? field.Name : $"{path}.{field.Name}", field.GetValue(message), field.Name);
                }
                break;
            case IEnumerable elements and not string:
                Add(lines, path, [.. elements.Cast<object>()]);
                break;
            default:
                lines.Add($"{path}={(Masked.Contains(name) ? Mask(value) : Text(value))}");
                break;
        }
    }

    private static void Add(List<string> lines, string path, List<object> elements)
    {
        if (elements.Count == 0)
        {
            lines.Add($"{path}=[]");
        }
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (object element in elements.OrderBy(Key, StringComparer.Ordinal))
        {
            string key = Key(element);
            int before = seen[key] = seen.GetValueOrDefault(key) + 1;
            Add(lines, $"{path}[{key}{(before > 1 ? $"#{before}" : "")}]", element);
        }
    }

    /// <summary>What names an element: its first field that is a name or a number of a partition; itself when it is no struct.</summary>
    private static string Key(object element) => element is not IWireStruct
        ? Text(element)
        : string.Join('/', element.GetType().GetFields(BindingFlags.Public | BindingFlags.Instance)
            .Where(static field => IsKey(field.Name))
            .Select(field => Text(field.GetValue(element))));

    private static bool IsKey(string field) => field is "Name" or "Topic" or "TopicName" or "GroupId" or "Index" or "PartitionIndex" or "PartitionId"
        or "ResourceName" or "ResourceType" or "ApiKey" or "Feature" or "Key";

    private static string Mask(object? value) => value switch
    {
        null or string { Length: 0 } => "none",
        RecordSet { Length: 0 } => "none",
        Guid id => id == Guid.Empty ? "none" : "some",
        IConvertible number when value is not string && number.ToInt64(CultureInfo.InvariantCulture) < 0 => Text(value),
        _ => "some",
    };

    private static string Text(object? value) => value switch
    {
        null => "null",
        ErrorCode error => $"{(short)error}",
        ReadOnlyMemory<byte> bytes => Convert.ToHexStringLower(bytes.Span),
        string text => $"\"{text}\"",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
