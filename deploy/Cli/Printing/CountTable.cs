using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using LogPipeline.Hosting;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Printing;

/// <summary>Counts with bars for people, or for programs.</summary>
internal sealed class CountTable(string name, TextWriter output, int screen)
{
    private const int BarMin = 10;
    private const int GapMax = 10; // times without rows that are shown one by one

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="counts">In the order in which they are to be shown.</param>
    /// <param name="format">table, json, jsonl, ndjson or csv.</param>
    /// <param name="width">From one time to the next; null where values are counted.</param>
    public void Write(IReadOnlyList<RowCount> counts, string format, TimeSpan? width)
    {
        switch (format)
        {
            case "table":
                Table(counts, width);
                break;
            case "csv":
                output.Write($"{name},rows\r\n");
                foreach (RowCount count in counts)
                {
                    string text = Text(count.Of) ?? "";
                    string quoted = text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
                    output.Write(string.Create(CultureInfo.InvariantCulture, $"{quoted},{count.Rows}\r\n"));
                }
                break;
            case "json":
                output.Write($"[{(counts.Count == 0 ? "" : "\n")}{string.Join(",\n", counts.Select(Json))}{(counts.Count == 0 ? "" : "\n")}]\n");
                break;
            default:
                output.Write(string.Concat(counts.Select(count => Json(count) + "\n")));
                break;
        }
    }

    private void Table(IReadOnlyList<RowCount> counts, TimeSpan? width)
    {
        if (counts.Count == 0)
        {
            output.WriteLine("no rows");
            return;
        }
        int digits = Math.Max("rows".Length, counts.Max(count => count.Rows).ToString(CultureInfo.InvariantCulture).Length);
        int names = Math.Min(counts.Max(count => ScreenText.Width(Shown(count.Of))), Math.Max(name.Length, screen - digits - BarMin - (2 * TableLayout.Gap)));
        names = Math.Max(names, name.Length);
        int bars = Math.Max(BarMin, screen - names - digits - (2 * TableLayout.Gap));
        long most = counts.Max(count => count.Rows);
        output.WriteLine($"{ScreenText.Fit(name, names)}  {"rows".PadLeft(digits)}");
        DateTimeOffset? last = null;
        foreach (RowCount count in counts)
        {
            if (width is { } step && count.Of is DateTimeOffset at)
            {
                Gap(last, at, step, names, digits);
                last = at;
            }
            string bar = Bar(count.Rows, most, bars);
            output.WriteLine($"{ScreenText.Fit(Shown(count.Of), names)}  {count.Rows.ToString(CultureInfo.InvariantCulture).PadLeft(digits)}  {bar}");
        }
    }

    /// <summary>Times without rows show as such; a long gap is one line.</summary>
    private void Gap(DateTimeOffset? last, DateTimeOffset next, TimeSpan step, int names, int digits)
    {
        if (last is not { } from)
        {
            return;
        }
        long missing = ((next - from).Ticks / step.Ticks) - 1;
        for (long i = 1; i <= missing && missing <= GapMax; i++)
        {
            output.WriteLine($"{ScreenText.Fit(Shown(from + (i * step)), names)}  {"0".PadLeft(digits)}");
        }
        if (missing > GapMax)
        {
            output.WriteLine($"{ScreenText.Fit("…", names)}  {"0".PadLeft(digits)}");
        }
    }

    private static string Bar(long rows, long most, int width)
    {
        const string eighths = "▏▎▍▌▋▊▉";
        long units = Math.Max(1, (long)Math.Round((double)rows / most * width * 8));
        return new string('█', (int)(units / 8)) + (units % 8 == 0 ? "" : eighths[(int)(units % 8) - 1]);
    }

    private string Json(RowCount count) => $"{{{JsonSerializer.Serialize(name, Readable)}:{JsonSerializer.Serialize(Text(count.Of), Readable)},\"rows\":{count.Rows.ToString(CultureInfo.InvariantCulture)}}}";

    private static string Shown(object? value) => value is DateTimeOffset time ? Times.Short(time) : value is null ? "(none)" : ControlCharacters.Show(Text(value)!);

    private static string? Text(object? value) => value is null ? null : value is DateTimeOffset time ? Times.Exact(time) : Convert.ToString(value, CultureInfo.InvariantCulture);
}
