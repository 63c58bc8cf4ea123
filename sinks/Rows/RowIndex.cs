using System.IO.Hashing;
using System.Text;
using LogPipeline.Files;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Rows;

/// <summary>How an index finds rows.</summary>
internal enum RowIndexKind
{
    /// <summary>By comparison, in order. In PostgreSQL it refuses text above 2.7 kB, and so its row.</summary>
    Btree,

    /// <summary>PostgreSQL: by equality, a few bytes for a stretch of the table. Takes text of any length.</summary>
    Bloom,

    /// <summary>PostgreSQL with pg_trgm: by what a text contains.</summary>
    Trigram,
}

/// <summary>An index that <c>indexes:</c> names: a column, and where its type has several kinds, the kind.</summary>
internal sealed record RowIndex(string Column, RowIndexKind Kind)
{
    private const string Line = "line";

    /// <summary>What names that are made for it end in: short enough beside every table's name.</summary>
    public string Suffix { get; } = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"_x{(uint)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes($"{Column} {Kind}")):x8}");

    /// <summary>Reads entries such as <c>remote_addr</c> and <c>line trigram</c>.</summary>
    /// <param name="entries">As they are configured.</param>
    /// <param name="parser">Has the columns.</param>
    /// <param name="isSqlite">SQLite has one kind alone.</param>
    /// <exception cref="SinkConfigurationException">An entry is wrong: says what to write.</exception>
    public static IReadOnlyList<RowIndex> Read(IReadOnlyList<string> entries, ILineParser parser, bool isSqlite)
    {
        RowIndex[] indexes = [.. entries.Select(entry => Read(entry, parser, isSqlite))];
        return indexes.GroupBy(index => index).FirstOrDefault(same => same.Count() > 1)?.Key is not { } twice ? indexes
            : throw new SinkConfigurationException($"indexes: {twice.Column} is named twice");
    }

    private static RowIndex Read(string entry, ILineParser parser, bool isSqlite)
    {
        string[] words = entry.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words.Length is 0 or > 2)
        {
            throw new SinkConfigurationException($"indexes: '{entry}' is not a column, or a column and a kind: write remote_addr, or line trigram");
        }
        ColumnKind type = TypeOf(words[0], parser);
        bool isText = type == ColumnKind.Text;
        RowIndexKind usual = isSqlite || !isText ? RowIndexKind.Btree : words[0] == Line ? RowIndexKind.Trigram : RowIndexKind.Bloom;
        var index = new RowIndex(words[0], words.Length == 1 ? usual : KindOf(words[1]));
        string? reason = (index.Kind, isText) switch
        {
            _ when type == ColumnKind.Json => "it is JSON, which no index here serves; take a value out of it with `columns` of the parser",
            (not RowIndexKind.Btree, _) when isSqlite => "SQLite has one kind of index alone: leave the kind out",
            (RowIndexKind.Btree, true) when words[0] == Line => isSqlite ? "a search for a part of the line would not use it" : "a B-tree would refuse rows with lines above 2.7 kB: write line trigram",
            (not RowIndexKind.Btree, false) => "that kind is for text: leave it out",
            _ => null,
        };
        return reason is null ? index : throw new SinkConfigurationException($"indexes: {entry}: {reason}");
    }

    private static ColumnKind TypeOf(string name, ILineParser parser)
    {
        (string Name, ColumnKind Kind)[] known =
        [
            ("log_offset", ColumnKind.BigInteger), ("time", ColumnKind.Time), ("source", ColumnKind.Integer), ("file_offset", ColumnKind.BigInteger), (Line, ColumnKind.Text),
            ("parsed", ColumnKind.Boolean), .. parser.Columns.Select(column => (column.Name, column.Kind)),
        ];
        int at = Array.FindIndex(known, column => column.Name == name);
        return at >= 0 ? known[at].Kind : throw new SinkConfigurationException($"indexes: the rows have no column {name}; "
            + (NearestName.Find(name, known.Select(column => column.Name)) is { } near ? $"did you mean {near}?" : $"there are {string.Join(", ", known.Select(column => column.Name))}"));
    }

    private static RowIndexKind KindOf(string word) =>
        Enum.TryParse(word, ignoreCase: true, out RowIndexKind kind) && Enum.GetName(kind) is { } name && name.Equals(word, StringComparison.OrdinalIgnoreCase) ? kind
            : throw new SinkConfigurationException($"indexes: there is no kind {word}; {(NearestName.Find(word, ["btree", "bloom", "trigram"]) is { } near ? $"did you mean {near}?" : "write btree, bloom or trigram")}");
}
