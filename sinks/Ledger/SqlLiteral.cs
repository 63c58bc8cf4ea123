namespace LogPipeline.Sinks.Ledger;

/// <summary>A text as a literal of SQL, where a statement takes no parameter.</summary>
internal static class SqlLiteral
{
    public static string Of(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
