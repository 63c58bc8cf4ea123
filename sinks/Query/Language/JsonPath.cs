using System.Globalization;
using System.Text;
using System.Text.Json;

namespace LogPipeline.Sinks.Query.Language;

/// <summary>One step into JSON: to a member of an object by its name, or to a place in an array, from 0 on.</summary>
public readonly record struct JsonStep(string Name, int? Index);

/// <summary>
/// The way from a column's JSON to a value in it, as a query has it: <c>user.id</c>, <c>items.0.name</c>, <c>"http.status".code</c>. Digits without quotes
/// are a place in an array.
/// </summary>
public sealed class JsonPath
{
    private JsonPath(IReadOnlyList<JsonStep> steps) => Steps = steps;

    public IReadOnlyList<JsonStep> Steps { get; }

    /// <summary>Null when the text is no path.</summary>
    public static JsonPath? Parse(string text)
    {
        var steps = new List<JsonStep>();
        for (int at = 0; at <= text.Length; at++)
        {
            bool isQuoted = at < text.Length && text[at] == '"';
            if ((isQuoted ? Quoted(text, ref at) : Plain(text, ref at)) is not { } name || (at < text.Length && text[at] != '.'))
            {
                return null;
            }
            steps.Add(new JsonStep(name, !isQuoted && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int index) ? index : null));
        }
        return new JsonPath(steps);
    }

    /// <summary>
    /// The value in a column's JSON: a decimal, or a double beyond its range; a text, which true, false, objects and arrays are too; null where there is
    /// none, or JSON's null.
    /// </summary>
    public object? In(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement value = document.RootElement;
        foreach (JsonStep step in Steps)
        {
            if (Next(value, step) is not { } next)
            {
                return null;
            }
            value = next;
        }
        return value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.TryGetDecimal(out decimal number) ? number : value.GetDouble(),
            _ => value.GetRawText(),
        };
    }

    /// <summary>As both databases write it, such as <c>$."items"[0]."name"</c>.</summary>
    public override string ToString() => "$" + string.Concat(Steps.Select(static step => step.Index is { } index ? string.Create(CultureInfo.InvariantCulture, $"[{index}]")
        : $".\"{step.Name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\""));

    private static JsonElement? Next(JsonElement value, JsonStep step) => value.ValueKind switch
    {
        JsonValueKind.Object when step.Index is null && value.TryGetProperty(step.Name, out JsonElement member) => member,
        JsonValueKind.Array when step.Index is { } index && index < value.GetArrayLength() => value[index],
        _ => null,
    };

    private static string? Plain(string text, ref int at)
    {
        int end = text.IndexOf('.', at);
        string name = text[at..(end < 0 ? text.Length : end)];
        at += name.Length;
        return name.Length > 0 && !name.Contains('"', StringComparison.Ordinal) ? name : null;
    }

    /// <summary>A name in quotes, in which a backslash takes the meaning of a quote or a backslash away.</summary>
    private static string? Quoted(string text, ref int at)
    {
        var name = new StringBuilder();
        for (at++; at < text.Length && text[at] != '"'; at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length)
            {
                at++;
            }
            name.Append(text[at]);
        }
        return at++ < text.Length ? name.ToString() : null;
    }
}
