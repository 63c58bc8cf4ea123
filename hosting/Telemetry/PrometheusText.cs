using System.Globalization;
using System.Text;

namespace LogPipeline.Hosting.Telemetry;

/// <summary>
/// The text format 0.0.4 that Prometheus scrapes:
/// <code>
/// # HELP logpipe_agent_lines_total Lines read.
/// # TYPE logpipe_agent_lines_total counter
/// logpipe_agent_lines_total{topic="web_log"} 42
/// </code>
/// Written here, since OpenTelemetry's exporter is a prerelease, brings a listener of its own beside <c>/healthz</c> (or ASP.NET), labels
/// each value with its meter, and needs the SDK loaded: 12 MB in an agent that pushes nothing.
/// </summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Write(IEnumerable<MetricSeries> all)
    {
        var text = new StringBuilder();
        // A name stands once with its type, even when two meters carry it.
        foreach (IGrouping<string, MetricSeries>? family in all.GroupBy(Name).OrderBy(family => family.Key, StringComparer.Ordinal))
        {
            MetricSeries first = family.First();
            if (!string.IsNullOrEmpty(first.Instrument.Description))
            {
                text.Append(CultureInfo.InvariantCulture, $"# HELP {family.Key} {first.Instrument.Description.Replace("\\", "\\\\").Replace("\n", "\\n")}\n");
            }
            text.Append(CultureInfo.InvariantCulture, $"# TYPE {family.Key} {first.Kind.ToString().ToLowerInvariant()}\n");
            foreach (MetricSeries? series in family)
            {
                series.Visit((labels, value) => WriteValue(text, family.Key, series, labels, value));
            }
        }
        return text.ToString();
    }

    /// <summary>Labels as they stand between the braces, sorted by name; empty when there are none.</summary>
    public static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
        {
            return "";
        }
        if (tags.Length == 1)
        {
            return Label(tags[0]);
        }
        KeyValuePair<string, object?>[] sorted = tags.ToArray();
        Array.Sort(sorted, (a, b) => string.CompareOrdinal(a.Key, b.Key));
        return string.Join(',', sorted.Select(Label));
    }

    private static string Label(KeyValuePair<string, object?> tag)
    {
        string value = Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "";
        return $"{Legal(tag.Key)}=\"{value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n")}\"";
    }

    private static void WriteValue(StringBuilder text, string name, MetricSeries series, string labels, MetricSeries.Value value)
    {
        if (series.Kind != MetricKind.Histogram)
        {
            Line(text, name, labels, value.Sum);
            return;
        }
        long below = 0L;
        for (int i = 0; i < value.Buckets.Length; i++)
        {
            below += value.Buckets[i];
            string bound = i < series.Bounds.Length ? Number(series.Bounds[i]) : "+Inf";
            Line(text, name + "_bucket", labels.Length == 0 ? $"le=\"{bound}\"" : $"{labels},le=\"{bound}\"", below);
        }
        Line(text, name + "_sum", labels, value.Sum);
        Line(text, name + "_count", labels, value.Count);
    }

    private static void Line(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0)
        {
            text.Append('{').Append(labels).Append('}');
        }
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Name(MetricSeries series)
    {
        string name = Legal(series.Instrument.Name);
        return series.Kind == MetricKind.Counter && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    private static string Legal(string name)
        => string.Create(name.Length, name, (to, from) =>
        {
            for (int i = 0; i < from.Length; i++)
            {
                to[i] = char.IsAsciiLetter(from[i]) || from[i] == '_' || (i > 0 && char.IsAsciiDigit(from[i])) ? from[i] : '_';
            }
        });
}
