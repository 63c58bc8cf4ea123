using System.Globalization;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Printing;

/// <summary>RFC 4180 with a heading line: a field with a comma, a quote or a line break is quoted. Raw bytes are base64.</summary>
internal sealed class CsvRows(IReadOnlyList<RowColumn> columns, TextWriter output) : IRowWriter
{
    private bool _hasHeading;

    public void Write(LogRow row)
    {
        Heading();
        Line(columns.Select(column => Text(column.Of(row))));
    }

    public void End() => Heading();

    private void Heading()
    {
        if (!_hasHeading)
        {
            Line(columns.Select(column => column.Name));
        }
        _hasHeading = true;
    }

    private void Line(IEnumerable<string> fields)
    {
        bool first = true;
        foreach (string field in fields)
        {
            if (!first)
            {
                output.Write(',');
            }
            first = false;
            output.Write(field.AsSpan().IndexOfAny(",\"\r\n") < 0 ? field : $"\"{field.Replace("\"", "\"\"")}\"");
        }
        output.Write("\r\n");
    }

    private static string Text(object? value) => value switch
    {
        null => "",
        bool flag => flag ? "true" : "false",
        byte[] bytes => Convert.ToBase64String(bytes),
        DateTimeOffset time => Times.Exact(time),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
