using LogPipeline.Client.Connections;
using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Sinks.Query;

/// <summary>Reads a sink's view.</summary>
public interface ILogReader : IAsyncDisposable
{
    /// <summary>Names of the parser's columns.</summary>
    IReadOnlyList<string> Columns { get; }

    /// <summary>What a query may ask about.</summary>
    QueryFields Fields { get; }

    /// <summary>Connects and looks whether the view can be read.</summary>
    ValueTask OpenAsync(CancellationToken cancellation);

    /// <summary>The SQL that a question becomes, with its values.</summary>
    string Explain(LogQuestion question);

    /// <summary>Has the database count rows: all of them, by value or by time.</summary>
    /// <exception cref="QueryTimeoutException">The database worked too long.</exception>
    IAsyncEnumerable<RowCount> CountAsync(LogQuestion question, CancellationToken cancellation);

    /// <summary>The lines of the same file before and after a row, in its order.</summary>
    ValueTask<IReadOnlyList<LogRow>> AroundAsync(LogRow row, int before, int after, CancellationToken cancellation);

    /// <summary>Streams the rows that the query asks for.</summary>
    /// <exception cref="QueryException">The database cannot answer.</exception>
    /// <exception cref="QueryTimeoutException">The database worked too long for a row.</exception>
    IAsyncEnumerable<LogRow> QueryAsync(LogQuery query, CancellationToken cancellation);

    /// <summary>
    /// Streams rows as they are committed, from now on (or from <paramref name="last"/> rows back), each once, none skipped; ends
    /// only by cancellation.
    /// </summary>
    IAsyncEnumerable<LogRow> TailAsync(LogQuery filter, int last, CancellationToken cancellation);

    /// <summary>
    /// The same, but what is not stored yet comes from the broker: <paramref name="last"/> stored rows, then each record as it comes, from the first
    /// one on that was not stored. Ends only by cancellation.
    /// </summary>
    /// <exception cref="LogPipeline.Client.BrokerUnreachableException">No broker answers; no row was given.</exception>
    IAsyncEnumerable<LogRow> LiveAsync(LogQuery filter, int last, IConnector connector, Random random, CancellationToken cancellation);
}
