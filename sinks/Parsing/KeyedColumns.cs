using System.Text;

namespace LogPipeline.Sinks.Parsing;

/// <summary>
/// The columns of formats whose values have keys: level and message under their usual keys, those that are configured, and <c>fields</c> for
/// the rest, as JSON. The event's time is no column.
/// </summary>
internal sealed class KeyedColumns
{
    /// <summary>The key is the event's time.</summary>
    public const int Time = -1;

    /// <summary>The key is of no column.</summary>
    public const int None = -2;

    private static readonly string[] TimeKeys = ["time", "timestamp", "@timestamp", "ts"];
    private static readonly string[] LevelKeys = ["level", "severity", "lvl", "loglevel"];
    private static readonly string[] MessageKeys = ["message", "msg"];

    private readonly List<(byte[] Key, int Column)> _keys = [];

    /// <exception cref="SinkConfigurationException">A setting is wrong.</exception>
    public KeyedColumns(ParserOptions options)
    {
        TimeFormat = TimeFormat.Of(options.TimeFormat ?? "auto");
        IsTimeConfigured = options.TimeField is not null || options.TimeFormat is not null;
        var columns = new List<Column>();
        foreach ((string name, string text) in options.Columns)
        {
            const string from = " from ";
            int at = text.IndexOf(from, StringComparison.Ordinal);
            _keys.Add((Encoding.UTF8.GetBytes(at < 0 ? name : text[(at + from.Length)..].Trim()), columns.Count));
            columns.Add(new Column(ColumnNames.Checked(name), FieldText.KindOf((at < 0 ? text : text[..at]).Trim(), name)));
        }
        Add(columns, "level", LevelKeys);
        Add(columns, "message", MessageKeys);
        string[] timeKeys = options.TimeField is { } field ? [field] : TimeKeys;
        _keys.AddRange(timeKeys.Select(key => (Encoding.UTF8.GetBytes(key), Time)));
        Rest = columns.Count;
        columns.Add(new Column("fields", ColumnKind.Json));
        if (columns.DistinctBy(column => column.Name).Count() < columns.Count)
        {
            throw new SinkConfigurationException("column fields is the one for the rest: give yours another name");
        }
        All = columns;
        HasPaths = _keys.Exists(key => key.Key.Contains((byte)'.'));
    }

    public IReadOnlyList<Column> All { get; }

    public TimeFormat TimeFormat { get; }

    /// <summary>A time that cannot be read refuses the line; one that was only guessed at stays a value like others.</summary>
    public bool IsTimeConfigured { get; }

    /// <summary>Some key leads into an object, as <c>user.id</c> does.</summary>
    public bool HasPaths { get; }

    /// <summary>The column of what no other column takes.</summary>
    public int Rest { get; }

    public int Find(ReadOnlySpan<byte> key)
    {
        foreach ((byte[] known, int column) in _keys)
        {
            if (key.SequenceEqual(known))
            {
                return column;
            }
        }
        return None;
    }

    /// <summary>Whether some key leads into the object at a path.</summary>
    public bool LeadsInto(ReadOnlySpan<byte> path)
    {
        foreach ((byte[] known, int _) in _keys)
        {
            if (known.Length > path.Length && known[path.Length] == '.' && known.AsSpan().StartsWith(path))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Takes a value that is a stretch of the line or the scratch.</summary>
    /// <param name="bytes">What it is a stretch of.</param>
    /// <param name="isTaken">Whether a column has it now; else it belongs to the rest.</param>
    /// <returns>False where it is not of its column's type: the line is not of the form.</returns>
    public bool TryTake(int column, ReadOnlySpan<byte> bytes, Field value, ref ParsedLine into, out bool isTaken)
    {
        isTaken = column >= 0 && !into.Fields[column].HasValue;
        if (column == Time && into.EventTime == ParsedLine.NoTime)
        {
            isTaken = TimeFormat.TryParse(bytes.Slice(value.Start, value.Length), into.RecordTime, out long time);
            into.EventTime = isTaken ? time : into.EventTime;
            return isTaken || !IsTimeConfigured;
        }
        return !isTaken || FieldText.TryRead(bytes, value, All[column].Kind, TimeFormat, ref into, out into.Fields[column]);
    }

    private void Add(List<Column> columns, string name, string[] keys)
    {
        if (columns.Exists(column => column.Name == name))
        {
            return;
        }
        _keys.AddRange(keys.Select(key => (Encoding.UTF8.GetBytes(key), columns.Count)));
        columns.Add(new Column(name, ColumnKind.Text));
    }
}
