using System.Globalization;
using LogPipeline.Contract;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;
using SQLitePCL;
using static SQLitePCL.raw;

namespace LogPipeline.Sinks.Sqlite;

/// <summary>One transaction: it holds the store's turn from begin to dispose.</summary>
internal sealed class SqliteFlush(SqliteStore store) : IDeadLetterFlush
{
    private bool _ended;

    public ValueTask<IReadOnlyList<SourceState>> ReadSourcesAsync(IReadOnlyList<Source> sources, CancellationToken cancellation) =>
        store.Thread.RunAsync(() => (IReadOnlyList<SourceState>)[.. sources.Select(ReadSource)]);

    public async ValueTask CopyRowsAsync(int logId, RowBatch rows, IReadOnlyList<int> sourceIds, CancellationToken cancellation) =>
        await store.Thread.RunAsync(() =>
        {
            store.Rows.Insert(logId, rows, sourceIds);
            return true;
        });

    public ValueTask<int> UpdateLedgerAsync(LedgerUpdate update, CancellationToken cancellation) => store.Thread.RunAsync(() => store.Database.Run(
        "UPDATE logpipe_logs SET next_offset = ?1, leader_epoch = ?2 WHERE id = ?3 AND owner = ?4 AND next_offset = ?5",
        update.Next, update.LeaderEpoch, update.LogId, update.Owner.Value.ToString(), update.Expected));

    public ValueTask<int> UpdateSourcesAsync(IReadOnlyList<SourceState> sources, CancellationToken cancellation) => store.Thread.RunAsync(() =>
        sources.Sum(s => store.Database.Run("UPDATE logpipe_sources SET stored = ?1, version = version + 1 WHERE id = ?2 AND version = ?3",
            RangeText.Format(s.Stored), s.Id, s.Version)));

    public async ValueTask WriteDeadLettersAsync(IReadOnlyList<DeadLetter> letters, CancellationToken cancellation) =>
        await store.Thread.RunAsync(() => letters.Sum(l => store.Database.Run(
            "INSERT INTO logpipe_dead_letters (log, log_offset, time, state, reason, value, source, file_offset, part, flags) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            l.LogId, l.Offset, TimeText.Format(l.Time), l.State, l.Reason, l.Value, l.Place?.Source, l.Place?.FileOffset, l.Place?.Part, (int?)l.Place?.Flags)));

    public ValueTask<IReadOnlyList<DeadLetter>> TakeDeadLettersAsync(string condition, (int Log, long Offset) after, int atMost, CancellationToken cancellation) =>
        store.Thread.RunAsync(() =>
        {
            sqlite3_stmt statement = store.Database.Bind($"""
                DELETE FROM logpipe_dead_letters WHERE rowid IN (
                    SELECT id FROM (SELECT id, sum(size) OVER (ORDER BY log, log_offset) - size AS before FROM (
                        SELECT rowid AS id, log, log_offset, length(value) AS size FROM logpipe_dead_letters
                        WHERE {condition} AND part IS NOT NULL AND (log, log_offset) > (?1, ?2) ORDER BY log, log_offset LIMIT ?3))
                    WHERE before < {IDeadLetterFlush.TakenBytesMax})
                RETURNING log, log_offset, time, state, reason, value, source, file_offset, part, flags
                """, after.Log, after.Offset, atMost);
            var letters = new List<DeadLetter>();
            while (store.Database.Step(statement))
            {
                letters.Add(ReadLetter(statement));
            }
            return (IReadOnlyList<DeadLetter>)[.. letters.OrderBy(l => l.LogId).ThenBy(l => l.Offset)];
        });

    public async ValueTask WriteGapAsync(LedgerGap gap, CancellationToken cancellation) => await store.Thread.RunAsync(() => store.Database.Run(
        "INSERT INTO logpipe_gaps (log, from_offset, to_offset, found, reason) VALUES (?1, ?2, ?3, ?4, ?5)",
        gap.LogId, gap.From, gap.To, TimeText.Format(gap.Found), gap.Reason));

    public async ValueTask CommitAsync(CancellationToken cancellation)
    {
        await store.Thread.RunAsync(() =>
        {
            store.RequireInPlace();
            store.Database.Commit();
            return true;
        });
        End();
    }

    public async ValueTask RollbackAsync(CancellationToken cancellation)
    {
        if (_ended)
        {
            return;
        }
        try
        {
            await store.Thread.RunAsync(() =>
            {
                store.Database.RollBack();
                return true;
            });
        }
        finally
        {
            End(); // whatever became of it: the next one waits for its turn
        }
    }

    public ValueTask DisposeAsync() => RollbackAsync(CancellationToken.None);

    private void End()
    {
        _ended = true;
        store.Turn.Release();
    }

    private static DeadLetter ReadLetter(sqlite3_stmt statement)
    {
        bool Has(int column) => sqlite3_column_type(statement, column) != SQLITE_NULL;
        string Text(int column) => sqlite3_column_text(statement, column).utf8_to_string();
        var place = new LetterPlace(
            Has(6) ? sqlite3_column_int(statement, 6) : null, Has(7) ? sqlite3_column_int64(statement, 7) : null, sqlite3_column_int(statement, 8),
            (PositionFlags)sqlite3_column_int(statement, 9));
        var time = DateTimeOffset.Parse(Text(2), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
        return new DeadLetter(sqlite3_column_int(statement, 0), sqlite3_column_int64(statement, 1), time, Text(3), Text(4),
            sqlite3_column_blob(statement, 5).ToArray(), place);
    }

    private SourceState ReadSource(Source source)
    {
        (string? agent, string? generation) = (source.Key.AgentId.ToString(), source.Key.GenerationText);
        store.Database.Run("""
            INSERT INTO logpipe_sources (sink, agent_id, generation, topic, host, file, stored, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, '{}', 0)
            ON CONFLICT DO NOTHING
            """, store.Sink, agent, generation, source.Key.Topic, source.Host, source.File);
        sqlite3_stmt statement = store.Database.Bind(
            "SELECT id, version, stored FROM logpipe_sources WHERE sink = ?1 AND agent_id = ?2 AND generation = ?3 AND topic = ?4",
            store.Sink, agent, generation, source.Key.Topic);
        store.Database.Step(statement);
        StoredRanges stored = RangeText.Parse(sqlite3_column_text(statement, 2).utf8_to_string());
        var state = new SourceState(sqlite3_column_int(statement, 0), source, sqlite3_column_int64(statement, 1), stored);
        sqlite3_reset(statement);
        return state;
    }
}
