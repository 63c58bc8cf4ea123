using System.Data.Common;
using System.Net;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Query;

/// <summary>Where the two databases differ for a reader.</summary>
internal interface ISqlDialect : IAsyncDisposable
{
    /// <summary>An open connection from the pool.</summary>
    ValueTask<DbConnection> ConnectAsync(CancellationToken cancellation);

    /// <summary>Begins a transaction whose statements may take as long as the table is large, whatever the server allows the user's queries.</summary>
    ValueTask<DbTransaction> BeginLongAsync(DbConnection connection, CancellationToken cancellation);

    /// <summary>For people.</summary>
    string Name { get; }

    /// <summary>A test of a text; <paramref name="value"/> makes a parameter of a value and returns its name.</summary>
    string Test(TextTest test, string column, Func<object, string> value);

    /// <summary>What stands behind a text that is compared by its bytes.</summary>
    string ByteOrder { get; }

    /// <summary>The comparison that treats NULL as a value.</summary>
    string IsNot { get; }

    /// <summary>A column of the rows table that grows with each insert, or null.</summary>
    string? RowId { get; }

    /// <summary>An expression that names one row of a table, in whichever partition, for as long as a transaction runs.</summary>
    /// <param name="table">The table's name in the statement.</param>
    string RowName(string table);

    /// <summary>The line's exact bytes.</summary>
    string Bytes { get; }

    /// <summary>A column of addresses as text.</summary>
    string AddressText(string column);

    /// <summary>The address that a text is; NULL where it is not one.</summary>
    string AddressOf(string text);

    /// <summary>A test whether an address, as a column of addresses has it, is in a network.</summary>
    string InNetwork(string column, IPNetwork network, Func<object, string> value);

    /// <summary>A value in a column's JSON as text; NULL where there is none, or JSON's null.</summary>
    string JsonText(string column, JsonPath path, Func<object, string> value);

    /// <summary>A number in a column's JSON; NULL where there is none, or something else.</summary>
    string JsonNumber(string column, JsonPath path, Func<object, string> value);

    /// <summary>What such a number is compared with: a long or a double.</summary>
    string Number(object number, Func<object, string> value);

    /// <summary>A test whether a table is there.</summary>
    string HasTable(string name);

    /// <summary>A test whether a table, where it is there, may be read.</summary>
    string MayRead(string name);

    /// <summary>The type of a column of times.</summary>
    string TimeType { get; }

    /// <summary>The type of a column <c>id</c> that numbers rows as they come.</summary>
    string NewId { get; }

    /// <summary>A statement that lets one at a time make tables of the ledger.</summary>
    string CreationLock { get; }

    object TimeParameter(DateTimeOffset time);

    DateTimeOffset ReadTime(DbDataReader reader, int column);

    /// <summary>One line for people when the database cannot be asked; null when the error is not of that kind.</summary>
    Exception? Translate(Exception error);

    /// <summary>
    /// Streams what a statement gives, in constant memory, and lets nothing wait in the database while the caller is slow that others
    /// would feel. The database ends the statement when the caller cancels or is gone.
    /// </summary>
    /// <param name="select">
    /// Makes the statement for the rows after one of its rows, or for all of them: a dialect may read a result in pieces, each by a
    /// statement of its own.
    /// </param>
    /// <param name="read">Takes a row from the reader.</param>
    /// <param name="patience">How long the database may work without giving a row.</param>
    /// <param name="cancellation">Ends the statement.</param>
    /// <exception cref="QueryTimeoutException">The database worked for longer than that.</exception>
    IAsyncEnumerable<T> StreamAsync<T>(Func<T?, SqlStatement> select, Func<DbDataReader, T> read, TimeSpan patience, CancellationToken cancellation)
        where T : class;

    /// <summary>
    /// The stretches of time in which the table's rows lie, each in the order in which they were stored, the newest first; none where an index has
    /// rows in the order of time, or where that may not be asked.
    /// </summary>
    ValueTask<IReadOnlyList<TableStretch>> StretchesAsync(TableName table, CancellationToken cancellation);

    /// <summary>Which table the rows are in now: what tells it from one that takes its name. 0 where there is none.</summary>
    ValueTask<long> RowsTableAsync(TableName table, CancellationToken cancellation);

    /// <summary>Whether the database reckons that a statement costs little, so that nothing is won by asking in pieces. Throws what asking it would.</summary>
    ValueTask<bool> IsCheapAsync(SqlStatement statement, TimeSpan patience, CancellationToken cancellation);

    /// <summary>What retention took of a log.</summary>
    ValueTask<ExpiredRows> ExpiredAsync(TableName table, int log, CancellationToken cancellation);

    /// <summary>An index has the rows in the order of time.</summary>
    bool HasTimeIndex { get; }

    /// <summary>An expression for the beginning of the time of a certain width that a row belongs to.</summary>
    string Bucket(TimeSpan width, Func<object, string> value);

    DateTimeOffset ReadBucket(DbDataReader reader, int column);

    /// <summary>The same connection, or a line for people.</summary>
    ValueTask<DbConnection> OpenAsync(CancellationToken cancellation) => AskAsync(ConnectAsync(cancellation).AsTask());

    /// <summary>Awaits a call to the database and turns its errors into lines for people.</summary>
    async ValueTask<T> AskAsync<T>(Task<T> call)
    {
        try
        {
            return await call;
        }
        catch (Exception error) when (Translate(error) is { } translated)
        {
            throw translated;
        }
    }
}
