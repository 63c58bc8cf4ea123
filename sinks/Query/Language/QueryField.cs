using LogPipeline.Files;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Query.Language;

public enum FieldKind
{
    Text,
    Number,
    Time,
    Truth,

    /// <summary>An IP address; a row has it as text.</summary>
    Address,

    /// <summary>JSON, which is searched as text.</summary>
    Json,
}

/// <summary>A column of a sink's view that a query may ask about.</summary>
/// <param name="Name">As in the view.</param>
/// <param name="Kind">What its values are.</param>
/// <param name="Of">Takes the value from a row.</param>
public sealed record QueryField(string Name, FieldKind Kind, Func<LogRow, object?> Of);

/// <summary>The fields of a sink's view.</summary>
public sealed class QueryFields
{
    private readonly Dictionary<string, QueryField> _fields;

    public QueryFields(IReadOnlyList<Column> parserColumns)
    {
        QueryField[] all =
        [
            new("topic", FieldKind.Text, row => row.Topic),
            new("partition", FieldKind.Number, row => (long)row.Partition),
            new("log_offset", FieldKind.Number, row => row.LogOffset),
            new("time", FieldKind.Time, row => row.Time),
            new("host", FieldKind.Text, row => row.Host),
            new("file", FieldKind.Text, row => row.File),
            new("generation", FieldKind.Text, row => row.Generation),
            new("file_offset", FieldKind.Number, row => row.FileOffset),
            new("part", FieldKind.Number, row => (long)row.Part),
            new("line", FieldKind.Text, row => row.Line),
            new("parsed", FieldKind.Truth, row => row.Parsed),
            .. parserColumns.Select((column, i) => new QueryField(column.Name, KindOf(column.Kind), row => row.Columns[i])),
        ];
        _fields = all.ToDictionary(field => field.Name);
    }

    public IEnumerable<string> Names => _fields.Keys;

    /// <summary>Where free text is looked for.</summary>
    public QueryField Line => _fields["line"];

    public QueryField Time => _fields["time"];

    public QueryField? Find(string name) => _fields.GetValueOrDefault(name) ?? _fields.GetValueOrDefault(name.ToLowerInvariant());

    /// <summary>What to write instead of a name that is not there.</summary>
    public string Advice(string name) => NearestName.Find(name, _fields.Keys) is { } near
        ? $"did you mean {near}?" : $"there are {string.Join(", ", _fields.Keys)}";

    private static FieldKind KindOf(ColumnKind kind) => kind switch
    {
        ColumnKind.Text => FieldKind.Text,
        ColumnKind.Time => FieldKind.Time,
        ColumnKind.Boolean => FieldKind.Truth,
        ColumnKind.Address => FieldKind.Address,
        ColumnKind.Json => FieldKind.Json,
        _ => FieldKind.Number,
    };
}
