namespace LogPipeline.Sinks.Query.Language;

/// <summary>The query is not one: says what is wrong, shows where, and proposes what to write.</summary>
public sealed class QuerySyntaxException(string query, int at, int length, string message)
    : QueryException($"{message}{Environment.NewLine}  {Flat(query)}{Environment.NewLine}  {new string(' ', at)}{new string('^', Math.Max(1, length))}")
{
    /// <summary>Where in the query the fault is.</summary>
    public int At { get; } = at;

    // The caret stands below its character only if every character takes one column.
    private static string Flat(string query) => string.Create(query.Length, query, static (to, from) =>
    {
        for (int i = 0; i < to.Length; i++)
        {
            to[i] = char.IsControl(from[i]) ? ' ' : from[i];
        }
    });
}
