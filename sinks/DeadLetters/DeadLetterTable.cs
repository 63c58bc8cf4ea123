using System.Data.Common;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.DeadLetters;

/// <summary>A dead letter for people.</summary>
/// <param name="MayBeRetried">Whether its place is known; not of a batch that could not be read, nor of a letter that an earlier version wrote.</param>
public sealed record ListedLetter(
    string Topic, int Partition, long Offset, DateTimeOffset Time, string? Host, string? File, string State, string Reason, byte[] Value, bool MayBeRetried);

/// <summary>What became of the letters that were tried again.</summary>
/// <param name="Stored">Now rows.</param>
/// <param name="Refused">Dead letters still, with the reason of this time.</param>
public readonly record struct RetriedLetters(long Stored, long Refused);

/// <summary>The dead letters of one sink: shows them, stores them as the rows that they would have been, or drops them.</summary>
public sealed class DeadLetterTable : IAsyncDisposable
{
    /// <summary>Letters of one transaction.</summary>
    private const int AtOnce = 10_000;

    private readonly ISqlDialect _dialect;

    /// <exception cref="SinkConfigurationException">The sink has no table.</exception>
    public DeadLetterTable(SinkOptions options)
    {
        options.Validate();
        _dialect = SinkStores.DialectOf(options, TimeProvider.System)
            ?? throw new SinkConfigurationException($"sink {options.Name} writes files: only postgres and sqlite sinks have a table of dead letters");
    }

    /// <summary>Returns the newest letters, oldest first.</summary>
    /// <param name="limit">How many at most.</param>
    public async Task<IReadOnlyList<ListedLetter>> ListAsync(DeadLetterChoice choice, int limit, CancellationToken cancellation)
    {
        await using DbConnection connection = await _dialect.OpenAsync(cancellation);
        await using DbCommand command = connection.CreateCommand();
        command.CommandText = $"""
            SELECT l.topic, l.partition, d.log_offset, d.time, s.host, s.file, d.state, d.reason, d.value, d.part
            FROM (SELECT * FROM logpipe_dead_letters WHERE {choice.Condition} ORDER BY time DESC, log DESC, log_offset DESC LIMIT {limit}) d
            JOIN logpipe_logs l ON l.id = d.log LEFT JOIN logpipe_sources s ON s.id = d.source ORDER BY d.time, d.log, d.log_offset
            """;
        await using DbDataReader reader = await _dialect.AskAsync(command.ExecuteReaderAsync(cancellation));
        var letters = new List<ListedLetter>();
        while (await _dialect.AskAsync(reader.ReadAsync(cancellation)))
        {
            letters.Add(new ListedLetter(reader.GetString(0), reader.GetInt32(1), reader.GetInt64(2), _dialect.ReadTime(reader, 3), Text(reader, 4), Text(reader, 5),
                reader.GetString(6), reader.GetString(7), reader.GetFieldValue<byte[]>(8), !reader.IsDBNull(9)));
        }
        return letters;
    }

    /// <summary>
    /// Stores letters as the rows that they would have been, at their own offsets and places, and takes them out of the dead letters in the same
    /// transaction: each is one or the other, whatever crashes. The ledger stays as it is: their offsets and ranges count as stored since they
    /// became letters.
    /// </summary>
    /// <param name="store">The sink's store, which may be at work elsewhere.</param>
    public static async Task<RetriedLetters> RetryAsync(ISinkStore store, DeadLetterChoice choice, CancellationToken cancellation)
    {
        await store.OpenAsync(cancellation);
        var total = new RetriedLetters(0, 0);
        (int Log, long Offset) after = (-1, -1);
        while (true)
        {
            await using ISinkFlush flush = await store.BeginAsync(cancellation);
            if (flush is not IDeadLetterFlush letterFlush)
            {
                throw new SinkConfigurationException($"a {store.Kind} sink has no table of dead letters");
            }
            IReadOnlyList<DeadLetter> letters = await letterFlush.TakeDeadLettersAsync(choice.Condition, after, AtOnce, cancellation);
            if (letters.Count == 0)
            {
                await flush.RollbackAsync(cancellation);
                return total;
            }
            var again = new List<DeadLetter>();
            foreach (IGrouping<int, DeadLetter> log in letters.GroupBy(letter => letter.LogId))
            {
                again.AddRange(await StoreAsync(flush, store.Parser, log.Key, [.. log], cancellation));
            }
            if (again.Count > 0)
            {
                await flush.WriteDeadLettersAsync(again, cancellation);
            }
            await flush.CommitAsync(cancellation);
            total = new RetriedLetters(total.Stored + letters.Count - again.Count, total.Refused + again.Count);
            after = (letters[^1].LogId, letters[^1].Offset);
        }
    }

    /// <summary>Removes letters for good, and notes their offsets beside those that a repair removed, so that a verification does not miss them.</summary>
    /// <returns>How many.</returns>
    public async Task<long> DropAsync(DeadLetterChoice choice, CancellationToken cancellation)
    {
        await using DbConnection connection = await _dialect.OpenAsync(cancellation);
        await using DbTransaction transaction = await _dialect.AskAsync(_dialect.BeginLongAsync(connection, cancellation).AsTask());
        long dropped = await _dialect.AskAsync(NotedRemoval.RunAsync(
            transaction, $"DELETE FROM logpipe_dead_letters WHERE {choice.Condition} RETURNING log, log_offset", isNoted: true, cancellation));
        await transaction.CommitAsync(cancellation);
        return dropped;
    }

    public ValueTask DisposeAsync() => _dialect.DisposeAsync();

    /// <summary>Returns those that the table refused again.</summary>
    private static async Task<IReadOnlyList<DeadLetter>> StoreAsync(ISinkFlush flush, ILineParser parser, int log, IReadOnlyList<DeadLetter> letters, CancellationToken cancellation)
    {
        using var rows = new RowBatch();
        int[] sources = new int[letters.Count];
        for (int i = 0; i < letters.Count; i++)
        {
            LetterPlace place = letters[i].Place!;
            ref Row row = ref rows.Add(letters[i].Value.Span);
            row.Offset = letters[i].Offset;
            row.Timestamp = letters[i].Time.ToUnixTimeMilliseconds();
            row.Source = place.Source is null ? -1 : i;
            row.LineBegin = place.FileOffset ?? 0;
            row.Part = place.Part;
            row.Flags = place.Flags;
            sources[i] = place.Source ?? 0;
        }
        rows.Parse(parser);
        await flush.CopyRowsAsync(log, rows, sources, cancellation);
        return [.. rows.Refusals.Select(refusal => letters[refusal.Index] with { State = refusal.State, Reason = refusal.Reason })];
    }

    private static string? Text(DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
}
