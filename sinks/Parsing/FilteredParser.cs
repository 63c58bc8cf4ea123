namespace LogPipeline.Sinks.Parsing;

/// <summary>A parser of whose rows not all are stored. It parses every line: which of them are stored is decided by what it finds.</summary>
internal sealed class FilteredParser(ILineParser parser, string where) : ILineParser
{
    public string Name => parser.Name;

    public IReadOnlyList<Column> Columns => parser.Columns;

    /// <summary>With the filter, so that processes of a sink whose filters differ are told apart as those with other parsers are.</summary>
    public string Settings { get; } = parser.Settings.Length == 0 ? $"where: {where}" : $"{parser.Settings}; where: {where}";

    public string Where => where;

    public bool TryParse(ReadOnlySpan<byte> line, ref ParsedLine into) => parser.TryParse(line, ref into);
}
