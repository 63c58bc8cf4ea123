using System.Globalization;
using System.Text;

namespace LogPipeline.Cli.Status;

/// <summary>One line of Prometheus's text format, <c>name{label="value",…} number</c>, as <c>/metrics</c> answers it.</summary>
/// <param name="Name">Of the metric.</param>
/// <param name="Labels">By name.</param>
/// <param name="Value">The number.</param>
internal sealed record MetricSample(string Name, IReadOnlyDictionary<string, string> Labels, double Value)
{
    /// <summary>A label's value; empty where there is none.</summary>
    public string this[string label] => Labels.GetValueOrDefault(label) ?? "";

    /// <summary>All samples of a text. Comments, and what is no sample, are left out.</summary>
    public static IReadOnlyList<MetricSample> Parse(string text) =>
        [.. text.Split('\n').Where(static line => line.Length > 0 && line[0] != '#').Select(ParseLine).OfType<MetricSample>()];

    private static MetricSample? ParseLine(string line)
    {
        int end = line.IndexOfAny(['{', ' ']);
        if (end <= 0)
        {
            return null;
        }
        Dictionary<string, string> labels = [];
        int at = end;
        if (line[end] == '{')
        {
            at = end + 1;
            while (at < line.Length && line[at] != '}')
            {
                if (!TryLabel(line, ref at, labels))
                {
                    return null;
                }
            }
            at++;
        }
        return at < line.Length && double.TryParse(line.AsSpan(at).Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            ? new MetricSample(line[..end], labels, value) : null;
    }

    /// <summary>Reads <c>name="value"</c> and the comma behind it; in values stand <c>\\</c>, <c>\"</c> and <c>\n</c>.</summary>
    private static bool TryLabel(string line, ref int at, Dictionary<string, string> labels)
    {
        int equals = line.IndexOf("=\"", at, StringComparison.Ordinal);
        if (equals < 0)
        {
            return false;
        }
        string name = line[at..equals];
        var value = new StringBuilder();
        for (at = equals + 2; at < line.Length && line[at] != '"'; at++)
        {
            bool isEscaped = line[at] == '\\' && at + 1 < line.Length;
            value.Append(!isEscaped ? line[at] : line[++at] == 'n' ? '\n' : line[at]);
        }
        labels[name] = value.ToString();
        at++;
        if (at < line.Length && line[at] == ',')
        {
            at++;
        }
        return at <= line.Length;
    }
}
