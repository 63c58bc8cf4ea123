using System.Data.Common;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Sinks.Commands;

/// <summary>
/// Commands for sinks, and what is paused, in two tables of the sink's own database: <c>logpipe_commands</c> and <c>logpipe_pauses</c>. The first
/// command makes them. A command is done in one transaction: its outcome and what it changes are there together or not at all, and of two
/// members of a sink one does it.
/// </summary>
public sealed class CommandTable : IAsyncDisposable
{
    private const string CommandColumns = "id, sink, action, topic, partition, requested, requested_by, done, done_by, succeeded, outcome";

    private readonly ISqlDialect _dialect;
    private readonly string _sink;
    private readonly TimeProvider _time;

    /// <exception cref="SinkConfigurationException">The sink has no database.</exception>
    public CommandTable(SinkOptions options, TimeProvider time)
    {
        options.Validate();
        (_sink, _time) = (options.Name, time);
        _dialect = SinkStores.DialectOf(options, time)
            ?? throw new SinkConfigurationException($"sink {options.Name} writes files and has no database to leave a command in: only postgres and sqlite sinks take commands; stop its process instead");
    }

    private DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>Leaves a command for the sink.</summary>
    public async Task<SinkCommand> AddAsync(SinkAction action, string? topic, int? partition, string by, CancellationToken cancellation)
    {
        await using DbConnection connection = await _dialect.OpenAsync(cancellation);
        await EnsureAsync(connection, cancellation);
        object? id = await _dialect.AskAsync(connection.ScalarAsync(
            "INSERT INTO logpipe_commands (sink, action, topic, partition, requested, requested_by) VALUES (@p0, @p1, @p2, @p3, @p4, @p5) RETURNING id",
            cancellation, _sink, action.ToString().ToLowerInvariant(), topic, partition, _dialect.TimeParameter(Now), by));
        return new SinkCommand(Convert.ToInt32(id, null), _sink, action, topic, partition, Now, by);
    }

    /// <summary>The command as it is now; null when there is none of that id.</summary>
    public async Task<SinkCommand?> FindAsync(int id, CancellationToken cancellation)
    {
        await using DbConnection connection = await _dialect.OpenAsync(cancellation);
        return (await ReadAsync(connection, "WHERE id = @p0", cancellation, id)).SingleOrDefault();
    }

    /// <summary>The sink's newest commands, oldest first.</summary>
    public async Task<IReadOnlyList<SinkCommand>> ListAsync(int limit, CancellationToken cancellation)
    {
        await using DbConnection connection = await _dialect.OpenAsync(cancellation);
        return !await HasTablesAsync(connection, cancellation) ? []
            : [.. Enumerable.Reverse(await ReadAsync(connection, $"WHERE sink = @p0 ORDER BY id DESC LIMIT {limit}", cancellation, _sink))];
    }

    /// <summary>What is paused now, and the commands that are still to be done, in their order.</summary>
    public async Task<(IReadOnlyList<SinkPause> Pauses, IReadOnlyList<SinkCommand> Waiting)> LookAsync(CancellationToken cancellation)
    {
        await using DbConnection connection = await _dialect.OpenAsync(cancellation);
        if (!await HasTablesAsync(connection, cancellation))
        {
            return ([], []);
        }
        IReadOnlyList<SinkCommand> waiting = await ReadAsync(connection, "WHERE sink = @p0 AND done IS NULL ORDER BY id", cancellation, _sink);
        return (await PausesAsync(connection, cancellation), waiting);
    }

    /// <summary>Does a command that pauses or resumes; nothing when it is done already, or an earlier one is not.</summary>
    /// <param name="command">As it was found.</param>
    /// <param name="host">Whose sink does it.</param>
    /// <param name="follow">Called with what will be paused before the command counts as done.</param>
    /// <param name="cancellation">Ends it, undone.</param>
    public async Task DoAsync(SinkCommand command, string host, Action<IReadOnlyList<SinkPause>> follow, CancellationToken cancellation)
    {
        await using DbConnection connection = await _dialect.OpenAsync(cancellation);
        await using DbTransaction transaction = await connection.BeginTransactionAsync(cancellation);
        PauseChange change = PauseChange.Of(command, await PausesAsync(connection, cancellation), Now);
        int done = await _dialect.AskAsync(connection.ExecuteAsync("""
            UPDATE logpipe_commands SET done = @p0, done_by = @p1, succeeded = @p2, outcome = @p3
            WHERE id = @p4 AND done IS NULL AND NOT EXISTS (SELECT 1 FROM logpipe_commands e WHERE e.sink = @p5 AND e.id < @p4 AND e.done IS NULL)
            """, cancellation, _dialect.TimeParameter(Now), host, change.Succeeds ? 1 : 0, change.Text, command.Id, _sink));
        if (done != 1)
        {
            return;
        }
        if (change.Pauses is { } pauses)
        {
            await _dialect.AskAsync(connection.ExecuteAsync("DELETE FROM logpipe_pauses WHERE sink = @p0", cancellation, _sink));
            foreach (SinkPause pause in pauses)
            {
                await _dialect.AskAsync(connection.ExecuteAsync("INSERT INTO logpipe_pauses (sink, topic, partition, since, paused_by) VALUES (@p0, @p1, @p2, @p3, @p4)",
                    cancellation, _sink, pause.Topic, pause.Partition, _dialect.TimeParameter(pause.Since), pause.By));
            }
            follow(pauses);
        }
        await _dialect.AskAsync(CommitAsync(transaction));
    }

    public ValueTask DisposeAsync() => _dialect.DisposeAsync();

    private static async Task<bool> CommitAsync(DbTransaction transaction)
    {
        await transaction.CommitAsync(CancellationToken.None);
        return true;
    }

    private async Task EnsureAsync(DbConnection connection, CancellationToken cancellation)
    {
        if (await HasTablesAsync(connection, cancellation))
        {
            return;
        }
        await using DbTransaction transaction = await connection.BeginTransactionAsync(cancellation);
        await _dialect.AskAsync(connection.ExecuteAsync($"""
            {_dialect.CreationLock}
            CREATE TABLE IF NOT EXISTS logpipe_commands (
                id {_dialect.NewId}, sink text NOT NULL, action text NOT NULL, topic text, partition int,
                requested {_dialect.TimeType} NOT NULL, requested_by text NOT NULL, done {_dialect.TimeType}, done_by text, succeeded int, outcome text);
            CREATE TABLE IF NOT EXISTS logpipe_pauses (id {_dialect.NewId}, sink text NOT NULL, topic text, partition int, since {_dialect.TimeType} NOT NULL, paused_by text NOT NULL);
            """, cancellation));
        await _dialect.AskAsync(CommitAsync(transaction));
    }

    private ValueTask<bool> HasTablesAsync(DbConnection connection, CancellationToken cancellation) =>
        _dialect.AskAsync(connection.HoldsAsync($"{_dialect.HasTable("logpipe_commands")} AND {_dialect.HasTable("logpipe_pauses")}", cancellation));

    private ValueTask<IReadOnlyList<SinkPause>> PausesAsync(DbConnection connection, CancellationToken cancellation) => _dialect.AskAsync(connection.ListAsync(
        "SELECT topic, partition, since, paused_by FROM logpipe_pauses WHERE sink = @p0 ORDER BY since",
        reader => new SinkPause(Text(reader, 0), Number(reader, 1), _dialect.ReadTime(reader, 2), reader.GetString(3)), cancellation, _sink));

    private ValueTask<IReadOnlyList<SinkCommand>> ReadAsync(DbConnection connection, string which, CancellationToken cancellation, params object?[] values) =>
        _dialect.AskAsync(connection.ListAsync($"SELECT {CommandColumns} FROM logpipe_commands {which}", ReadCommand, cancellation, values));

    private SinkCommand ReadCommand(DbDataReader reader) => new(
        reader.GetInt32(0), reader.GetString(1), Enum.Parse<SinkAction>(reader.GetString(2), ignoreCase: true), Text(reader, 3), Number(reader, 4), _dialect.ReadTime(reader, 5),
        reader.GetString(6))
    {
        Outcome = reader.IsDBNull(7) ? null : new CommandOutcome(_dialect.ReadTime(reader, 7), reader.GetString(8), reader.GetInt32(9) == 1, reader.GetString(10)),
    };

    private static string? Text(DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    private static int? Number(DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetInt32(column);
}
