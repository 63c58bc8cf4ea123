using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Sinks.Query;

/// <summary>The expressions that fields are in a database's SQL. The way to a value in JSON becomes parameters, as values do.</summary>
/// <param name="dialect">The database's.</param>
/// <param name="value">Makes a parameter of a value and returns its name.</param>
internal sealed class FieldSql(ISqlDialect dialect, Func<object, string> value)
{
    /// <summary>As it is stored; NULL where the row has no value.</summary>
    public string Stored(QueryField field) => field.Path is { } path ? dialect.JsonText(field.Column, path, value) : field.Column;

    /// <summary>As text, whatever its kind.</summary>
    public string Text(QueryField field) => field.Kind switch
    {
        FieldKind.Text or FieldKind.Member => Stored(field),
        FieldKind.Address => dialect.AddressText(field.Column),
        _ => $"CAST({Stored(field)} AS text)",
    };

    /// <summary>As an address; NULL where it is not one.</summary>
    public string Address(QueryField field) => field.Kind == FieldKind.Address ? Stored(field) : dialect.AddressOf(Text(field));

    /// <summary>What a value is compared with, and the value.</summary>
    public (string Field, string Value) Compared(QueryField field, object with) => with switch
    {
        DateTimeOffset time => (Stored(field), value(dialect.TimeParameter(time))),
        long or double when field.Path is { } path => (dialect.JsonNumber(field.Column, path, value), dialect.Number(with, value)),
        _ => (Stored(field), value(with)),
    };
}
