using System.Text;

namespace LogPipeline.Sinks.Parsing;

/// <summary>Names of columns as they can stand in SQL without quotes.</summary>
internal static class ColumnNames
{
    private const int LengthMax = 60;

    // The view's own columns, those of the rows table, and the words that PostgreSQL or SQLite reserve.
    private static readonly HashSet<string> Taken =
    [
        .. "topic partition log_offset time host file generation file_offset part line raw parsed flags log source row_id row_place log_id".Split(' '),
        .. ("all analyse analyze and any array as asc asymmetric authorization autoincrement begin between binary both by case cast check collate collation column commit "
            + "concurrently constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp current_user default deferrable "
            + "deferred delete desc distinct do drop else end escape except exists explain false fetch for foreign freeze from full grant group having if ilike in index initially "
            + "inner insert instead intersect into is isnull join lateral leading left like limit localtime localtimestamp natural not nothing notnull null offset on only or order "
            + "outer over overlaps placing primary raise references returning right select session_user set similar some symmetric system_user table tablesample then to "
            + "trailing transaction trigger true union unique update user using values variadic verbose view when where window with ctid oid xmin xmax cmin cmax tableoid rowid").Split(' '),
    ];

    /// <summary>A column's name made of a format's own: small letters, digits and _; one that is taken gets a word before it.</summary>
    public static string Of(string name)
    {
        var made = new StringBuilder();
        foreach (char c in name.ToLowerInvariant())
        {
            made.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
        }
        string clean = made.ToString().Trim('_').Replace("__", "_", StringComparison.Ordinal);
        clean = clean.Length == 0 || char.IsAsciiDigit(clean[0]) || Taken.Contains(clean) ? $"field_{clean}" : clean;
        return clean.Length > LengthMax ? clean[..LengthMax] : clean;
    }

    /// <exception cref="SinkConfigurationException">A name that a person wrote cannot be a column's.</exception>
    public static string Checked(string name) => Of(name) == name ? name
        : throw new SinkConfigurationException($"column {name} cannot be called so{(Taken.Contains(name) ? ", the name is taken" : "")}: write {Of(name)}");

    /// <summary>The same columns, each under a name of its own.</summary>
    public static Column[] Distinct(IEnumerable<Column> columns)
    {
        var seen = new Dictionary<string, int>();
        return [.. columns.Select(column =>
        {
            int count = seen[column.Name] = seen.GetValueOrDefault(column.Name) + 1;
            return count == 1 ? column : column with { Name = $"{column.Name}_{count}" };
        })];
    }
}
