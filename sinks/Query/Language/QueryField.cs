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

    /// <summary>A value in JSON: a text, a number, true or false, as each row has it.</summary>
    Member,
}

/// <summary>What a query may ask about: a column of a sink's view, or a value in a column's JSON.</summary>
/// <param name="Name">As a query names it.</param>
/// <param name="Kind">What its values are.</param>
/// <param name="Of">Takes the value from a row.</param>
public sealed record QueryField(string Name, FieldKind Kind, Func<LogRow, object?> Of)
{
    /// <summary>As in the view.</summary>
    public string Column { get; init; } = Name;

    /// <summary>The way from the column's JSON to the value; null where the value is the column's.</summary>
    public JsonPath? Path { get; init; }
}

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

    /// <summary>Columns of JSON, whose members are fields too: <c>fields.user.id</c>.</summary>
    private IEnumerable<QueryField> Json => _fields.Values.Where(column => column.Kind == FieldKind.Json);

    /// <summary>Finds a column, or a value in the JSON of one.</summary>
    public QueryField? Find(string name)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        QueryField? column = Column(dot < 0 ? name : name[..dot]);
        if (dot < 0 || column is null)
        {
            return column;
        }
        return column.Kind != FieldKind.Json || JsonPath.Parse(name[(dot + 1)..]) is not { } path ? null
            : new QueryField(column.Name + name[dot..], FieldKind.Member, row => column.Of(row) is string json ? path.In(json) : null) { Column = column.Name, Path = path };
    }

    /// <summary>What to write instead of a name that is not there.</summary>
    public string Advice(string name)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot > 0 && Column(name[..dot]) is { } column)
        {
            return column.Kind == FieldKind.Json ? $"what stands in the JSON of {column.Name} is written {column.Name}.user.id, {column.Name}.items.0 or {column.Name}.\"user.id\""
                : $"{column.Name} is no JSON, so nothing stands in it";
        }
        if (dot > 0 && NearestName.Find(name[..dot], Json.Select(json => json.Name)) is { } nearJson)
        {
            return $"did you mean {nearJson}{name[dot..]}?";
        }
        string inJson = Json.FirstOrDefault() is { } any ? $"; what stands in the JSON of {any.Name} is written {any.Name}.{name}" : "";
        return NearestName.Find(name, _fields.Keys) is { } near ? $"did you mean {near}?" : $"there are {string.Join(", ", _fields.Keys)}{inJson}";
    }

    private QueryField? Column(string name) => _fields.GetValueOrDefault(name) ?? _fields.GetValueOrDefault(name.ToLowerInvariant());

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
