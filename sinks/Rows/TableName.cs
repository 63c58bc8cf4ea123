using System.Text;
using System.Text.RegularExpressions;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Rows;

/// <summary>
/// The setting <c>table</c>: the view's name as SQL, and the names made from it. It stays as it was written: the database folds what is not
/// quoted, as in every other statement.
/// </summary>
public readonly partial record struct TableName
{
    /// <summary>PostgreSQL cuts names behind 63 bytes without a word; the longest that is added is <c>_rows_p20261121</c>.</summary>
    private const int NameBytesMax = 48;
    private const int SchemaBytesMax = 63;

    private readonly string _text;
    private readonly int _nameStart;

    private TableName(string text, int nameStart) => (_text, _nameStart) = (text, nameStart);

    /// <summary>The table that the rows are in.</summary>
    public string Rows => With("_rows");

    /// <summary>The view of the dead letters.</summary>
    public string DeadLetters => With("_dead_letters");

    /// <summary>The schema as it was written; null where the search path decides.</summary>
    public string? Schema => _nameStart == 0 ? null : _text[..(_nameStart - 1)];

    /// <summary>Bytes of the name without its schema, as the database keeps it.</summary>
    public int NameBytes => LengthOf(_text[_nameStart..]);

    /// <summary>The name as a literal, such as <c>'app.web_log'</c>.</summary>
    public string Literal => SqlLiteral.Of(_text);

    /// <summary>The rows table's name as a literal.</summary>
    public string RowsLiteral => SqlLiteral.Of(Rows);

    /// <exception cref="FormatException">Says how a name is written.</exception>
    public static TableName Parse(string text)
    {
        Match match = Pattern().Match(text);
        Group schema = match.Groups["schema"];
        if (!match.Success || LengthOf(match.Groups["name"].Value) > NameBytesMax || LengthOf(schema.Value) > SchemaBytesMax)
        {
            throw new FormatException($"table {text} must be letters, digits and _, at most {NameBytesMax} of them, and not begin with a digit; "
                + "with its schema it is written app.web_log, with other characters in double quotes: '\"web-log\"'");
        }
        return new TableName(text, schema.Success ? schema.Length + 1 : 0);
    }

    /// <summary>The name of something that belongs to the table, in its schema.</summary>
    public string With(string suffix) => Schema is { } schema ? $"{schema}.{Local(suffix)}" : Local(suffix);

    /// <summary>The same without the schema, as CREATE INDEX takes it.</summary>
    public string Local(string suffix)
    {
        string name = _text[_nameStart..];
        return name[^1] == '"' ? $"{name[..^1]}{suffix}\"" : name + suffix;
    }

    public override string ToString() => _text;

    /// <summary>Bytes of a name as the database keeps it.</summary>
    private static int LengthOf(string name) =>
        Encoding.UTF8.GetByteCount(name.StartsWith('"') ? name[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal) : name);

    [GeneratedRegex("""
        ^(?:(?<schema>[A-Za-z_][A-Za-z0-9_]*|"(?:[^"\0]|"")+")\.)?(?<name>[A-Za-z_][A-Za-z0-9_]*|"(?:[^"\0]|"")+")\z
        """)]
    private static partial Regex Pattern();
}
