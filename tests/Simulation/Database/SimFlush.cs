using System.Globalization;
using System.Text;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Simulation.Database;

/// <summary>One transaction of a sink, statement by statement.</summary>
internal sealed class SimFlush(SimStore store, SimDatabase database, Session session) : IDeadLetterFlush
{
    private Tables Tables => database.Tables;

    public ValueTask<IReadOnlyList<SourceState>> ReadSourcesAsync(IReadOnlyList<Source> sources, CancellationToken cancellation) =>
        store.CallAsync<IReadOnlyList<SourceState>>("db.read sources", session, operation =>
        {
            var states = new List<SourceState>(sources.Count);
            foreach (Source source in sources)
            {
                // Adding a key holds it until the transaction ends, and so does finding one that another is adding.
                if (FindSource(source.Key) is null && !database.TryLock(session, ("source", source.Key)))
                {
                    operation.BlockedOn = ("source", source.Key);
                    return states;
                }
                SourceRow row = FindSource(source.Key) ?? Added(source);
                states.Add(new SourceState(row.Id, source, row.Version, new StoredRanges(row.Stored)));
            }
            return states;
        });

    public ValueTask CopyRowsAsync(int logId, RowBatch rows, IReadOnlyList<int> sourceIds, CancellationToken cancellation)
    {
        if (database.Table.RefusesAll)
        {
            throw new StoreRefusedException("the table refuses all rows");
        }
        var copied = new List<TableRow>(rows.Count);
        for (int i = 0; i < rows.Count; i++)
        {
            ref Row row = ref rows.Rows[i];
            if (row.State != RowState.Store)
            {
                continue;
            }
            byte[] value = rows.Value(row).ToArray();
            if (!database.Table.Constraint(value))
            {
                rows.Refuse(i, "22021", "the table does not take it");
                continue;
            }
            // What was a dead letter has lost all of its range but the line's begin.
            (long begin, long end) = session.TakenLetters.Count > 0 ? (row.LineBegin, row.LineBegin + 1) : (row.CoveredBegin, row.CoveredEnd);
            copied.Add(new TableRow(logId, row.Offset, row.Source < 0 ? -1 : sourceIds[row.Source], row.LineBegin, begin, end, row.Part, row.Flags, value));
        }
        return Discard(store.CallAsync("db.copy", session, _ =>
        {
            if (database.Plants.RowsOutsideTransaction)
            {
                var apart = new Session();
                apart.Rows.AddRange(copied);
                Tables.Rows.AddRange(copied);
                database.Committed?.Invoke(apart);
                return copied.Count;
            }
            session.Rows.AddRange(copied);
            return copied.Count;
        }));
    }

    public ValueTask<int> UpdateLedgerAsync(LedgerUpdate update, CancellationToken cancellation) =>
        store.CallAsync("db.update ledger", session, operation =>
        {
            object row = ("log", update.LogId);
            if (!database.TryLock(session, row))
            {
                operation.BlockedOn = row;
                return 0;
            }
            LedgerEntry? entry = Tables.Logs.Find(log => log.Id == update.LogId);
            if (entry is null)
            {
                return 0;
            }
            if (!database.Plants.IgnoresLedgerCondition && (entry.Owner != update.Owner || entry.NextOffset != update.Expected))
            {
                return 0;
            }
            if (database.Plants.LedgerOutsideTransaction)
            {
                Advance(update);
            }
            else
            {
                session.Updates.Add(update);
            }
            return 1;
        });

    public ValueTask<int> UpdateSourcesAsync(IReadOnlyList<SourceState> sources, CancellationToken cancellation)
    {
        var changed = sources.Select(source => new SourceRow(source.Id, source.Source, source.Version + 1, [.. source.Stored.Ranges])).ToList();
        return store.CallAsync("db.update sources", session, operation =>
        {
            if (database.Plants.LeavesSources)
            {
                return changed.Count;
            }
            int affected = 0;
            foreach (SourceRow row in changed)
            {
                if (!database.TryLock(session, ("source", row.Source.Key)))
                {
                    operation.BlockedOn = ("source", row.Source.Key);
                    return 0;
                }
            }
            foreach (SourceRow row in changed)
            {
                if (FindSource(row.Source.Key) is { } now && now.Version == row.Version - 1)
                {
                    session.Sources.RemoveAll(own => own.Source.Key == row.Source.Key);
                    session.Sources.Add(row);
                    affected++;
                }
            }
            return affected;
        });
    }

    public ValueTask WriteDeadLettersAsync(IReadOnlyList<DeadLetter> letters, CancellationToken cancellation)
    {
        var copies = letters.Select(letter => letter with { Value = letter.Value.ToArray() }).ToList();
        return Discard(store.CallAsync("db.dead letters", session, _ =>
        {
            session.DeadLetters.AddRange(copies);
            return copies.Count;
        }));
    }

    public ValueTask<IReadOnlyList<DeadLetter>> TakeDeadLettersAsync(string condition, (int Log, long Offset) after, int atMost, CancellationToken cancellation) =>
        store.CallAsync<IReadOnlyList<DeadLetter>>("db.take dead letters", session, operation =>
        {
            // The simulated database has one sink and is never asked for some of its letters.
            List<DeadLetter> taken = [.. Tables.DeadLetters
                .Where(letter => letter.Place is not null && (letter.LogId, letter.Offset).CompareTo(after) > 0)
                .OrderBy(static letter => letter.LogId).ThenBy(static letter => letter.Offset).Take(atMost)];
            foreach (DeadLetter letter in taken)
            {
                object row = ("letter", letter.LogId, letter.Offset);
                if (!database.TryLock(session, row))
                {
                    operation.BlockedOn = row;
                    return [];
                }
            }
            session.TakenLetters.AddRange(taken);
            return taken;
        });

    public ValueTask WriteGapAsync(LedgerGap gap, CancellationToken cancellation) =>
        Discard(store.CallAsync("db.gap", session, _ =>
        {
            session.Gaps.Add(gap);
            return 1;
        }));

    public ValueTask CommitAsync(CancellationToken cancellation) => Discard(store.CallAsync("db.commit", session, _ =>
    {
        Tables.Rows.AddRange(session.Rows);
        session.Updates.ForEach(Advance);
        foreach (SourceRow row in session.Sources)
        {
            Tables.Sources.RemoveAll(old => old.Source.Key == row.Source.Key);
            Tables.Sources.Add(row);
        }
        Tables.DeadLetters.RemoveAll(letter => !database.Plants.KeepsTakenLetters && session.TakenLetters.Contains(letter));
        Tables.DeadLetters.AddRange(session.DeadLetters);
        Tables.Gaps.AddRange(session.Gaps);
        database.World.Trace.Say(null, $"commit: {Text()}");
        database.Committed?.Invoke(session);
        database.End(session, "committed");
        return true;
    }));

    public ValueTask RollbackAsync(CancellationToken cancellation) => Discard(store.CallAsync("db.rollback", session, _ =>
    {
        database.End(session, "rolled back");
        return true;
    }));

    public ValueTask DisposeAsync()
    {
        database.End(session, "closed by the client");
        return ValueTask.CompletedTask;
    }

    private SourceRow? FindSource(SourceKey key) =>
        session.Sources.Find(row => row.Source.Key == key) ?? Tables.Sources.Find(row => row.Source.Key == key);

    private SourceRow Added(Source source)
    {
        var row = new SourceRow(database.NextSourceId++, source, 0, []);
        session.Sources.Add(row);
        return row;
    }

    private void Advance(LedgerUpdate update)
    {
        int at = Tables.Logs.FindIndex(log => log.Id == update.LogId);
        Tables.Logs[at] = Tables.Logs[at] with { NextOffset = update.Next, LeaderEpoch = update.LeaderEpoch };
    }

    private string Text()
    {
        StringBuilder text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{session.Rows.Count} rows");
        foreach (LedgerUpdate update in session.Updates)
        {
            text.Append(CultureInfo.InvariantCulture, $", log {update.LogId} {update.Expected} → {update.Next}");
        }
        return text.ToString();
    }

    private static async ValueTask Discard<T>(ValueTask<T> task) => await task;
}
