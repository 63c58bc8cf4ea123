using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;
using SQLitePCL;
using static SQLitePCL.raw;

namespace LogPipeline.Sinks.Sqlite;

/// <summary>
/// Removes the rows of days that are older than the sink keeps them, some thousands in a transaction, which also adds to <c>logpipe_expired</c> what
/// went, by log and day. So each row is in the table or in the totals, wherever it is killed. Rows of before 1990 are kept: nobody knows their time.
/// Runs on the database's thread. The file keeps its size: new rows take the room.
/// </summary>
internal sealed class SqliteRetention(string table, TimeSpan age)
{
    /// <summary>A flush waits for so many rows at most: some tens of milliseconds.</summary>
    private const int AtOnce = 2000;

    public const string Table = "CREATE TABLE IF NOT EXISTS logpipe_expired (log INTEGER NOT NULL, day TEXT NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, offsets TEXT NOT NULL, PRIMARY KEY (log, day))";

    private static readonly DateTimeOffset Earliest = new(1990, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Removes some, in the caller's transaction; null when nothing is old enough.</summary>
    public ExpiredPart? RemoveSome(SqliteDatabase database, DateTimeOffset now)
    {
        DateTimeOffset limit = new((now - age).UtcDateTime.Date, TimeSpan.Zero);
        var logs = new Dictionary<(int Log, string Day), ExpiredRows>();
        sqlite3_stmt removed = database.Bind($"""
            DELETE FROM {table}_rows WHERE rowid IN (SELECT rowid FROM {table}_rows WHERE time >= ?1 AND time < ?2 ORDER BY time LIMIT ?3)
            RETURNING log, log_offset, coalesce(length(raw), length(CAST(line AS BLOB))), substr(time, 1, 10)
            """, TimeText.Format(Earliest), TimeText.Format(limit), AtOnce);
        while (database.Step(removed))
        {
            (int Log, string Day) key = (sqlite3_column_int(removed, 0), sqlite3_column_text(removed, 3).utf8_to_string());
            if (!logs.TryGetValue(key, out ExpiredRows? rows))
            {
                logs.Add(key, rows = new ExpiredRows(new StoredRanges(), 0, 0));
            }
            rows.Add(sqlite3_column_int64(removed, 1), sqlite3_column_int64(removed, 2));
        }
        sqlite3_reset(removed);
        foreach (((int log, string day), ExpiredRows rows) in logs)
        {
            Note(database, log, day, rows);
        }
        return logs.Count == 0 ? null : new ExpiredPart($"{table}_rows", Earliest, limit, logs.Values.Sum(rows => rows.Rows));
    }

    private static void Note(SqliteDatabase database, int log, string day, ExpiredRows rows)
    {
        if (database.Text("SELECT offsets FROM logpipe_expired WHERE log = ?1 AND day = ?2", log, day) is { } offsets)
        {
            rows.Add(new ExpiredRows(RangeText.Parse(offsets), 0, 0));
        }
        database.Run("""
            INSERT INTO logpipe_expired (log, day, rows, bytes, offsets) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (log, day) DO UPDATE SET rows = rows + excluded.rows, bytes = bytes + excluded.bytes, offsets = excluded.offsets
            """, log, day, rows.Rows, rows.Bytes, RangeText.Format(rows.Offsets));
    }
}
