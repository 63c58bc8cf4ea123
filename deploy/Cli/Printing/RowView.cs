using LogPipeline.Files;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Printing;

/// <summary>A column of a sink's view: its name, and how to take it from a row.</summary>
internal sealed record RowColumn(string Name, Func<LogRow, object?> Of)
{
    /// <summary>How important it is where not all have room; 0 is the most important one.</summary>
    public int Rank { get; init; }

    /// <summary>What a text is not cut below on a screen: a whole line says little in less.</summary>
    public int TextWidthMin => Name == "line" ? 40 : 20;
}

/// <summary>The columns of a sink's view, in the view's order, and which of them to show.</summary>
internal sealed class RowView(IReadOnlyList<string> parserColumns)
{
    // The most important first: what a narrow screen keeps longest.
    private static readonly string[] ByImportance =
        ["time", "status", "path", "message", "line", "level", "exception", "method", "remote_addr", "app_name", "host", "body_bytes_sent", "http_user_agent", "file"];

    // What fits a screen: of an access log its own words, without a parser where the line came from and the line.
    private static readonly string[] AccessOnScreen = ["time", "remote_addr", "method", "path", "status", "body_bytes_sent", "http_user_agent"];
    private static readonly string[] PlainOnScreen = ["time", "host", "file", "line"];

    // Of other parsers all columns but these, and the line where none is its message.
    private static readonly string[] Aside = ["fields", "structured_data", "facility", "severity", "process_id", "message_id"];

    private readonly List<RowColumn> _columns =
    [
        new("topic", row => row.Topic),
        new("partition", row => row.Partition),
        new("log_offset", row => row.LogOffset),
        new("time", row => row.Time),
        new("host", row => row.Host),
        new("file", row => row.File),
        new("generation", row => row.Generation),
        new("file_offset", row => row.FileOffset),
        new("part", row => row.Part),
        new("line", row => row.Line),
        new("raw", row => row.Raw),
        new("parsed", row => row.Parsed),
        .. parserColumns.Select((name, i) => new RowColumn(name, row => row.Columns[i])),
    ];

    /// <summary>The columns asked for; none asked for means those that suit the screen, or all.</summary>
    /// <exception cref="ConfigurationException">A column is not in the view.</exception>
    public IReadOnlyList<RowColumn> Choose(IReadOnlyList<string>? asked, bool forScreen)
    {
        var names = (asked ?? []).SelectMany(name => name.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).ToList();
        if (names.Contains("all") || (names.Count == 0 && !forScreen))
        {
            return _columns;
        }
        if (names.Count == 0)
        {
            return [.. OnScreen().Select(Find).OfType<RowColumn>().Select(Ranked)];
        }
        return [.. names.Select(name => Find(name) ?? throw Unknown(name)).Select(Ranked)];
    }

    private string[] OnScreen()
    {
        if (parserColumns.Count == 0)
        {
            return PlainOnScreen;
        }
        return parserColumns.Contains("path") && parserColumns.Contains("status") ? AccessOnScreen
            : ["time", .. parserColumns.Where(static name => name is not "message" && !Aside.Contains(name)), parserColumns.Contains("message") ? "message" : "line"];
    }

    /// <summary>What is not known to be important is less so the later it stands.</summary>
    private static RowColumn Ranked(RowColumn column, int i) =>
        column with { Rank = Array.IndexOf(ByImportance, column.Name) is >= 0 and var rank ? rank : ByImportance.Length + i };

    private RowColumn? Find(string name) => _columns.Find(column => column.Name == name);

    private ConfigurationException Unknown(string name)
        => new($"there is no column '{name}'"
            + (NearestName.Find(name, _columns.Select(column => column.Name)) is { } near ? $"; did you mean '{near}'?" : ".")
            + $" The columns are {string.Join(", ", _columns.Select(column => column.Name))}");
}
