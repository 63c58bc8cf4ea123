using LogPipeline.Contract;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;
using Npgsql;
using NpgsqlTypes;

namespace LogPipeline.Sinks.Postgres;

/// <summary>One transaction on one connection; both end with it.</summary>
internal sealed class PostgresFlush(PostgresStore store, NpgsqlConnection connection, NpgsqlTransaction transaction) : IDeadLetterFlush
{
    public ValueTask<IReadOnlyList<SourceState>> ReadSourcesAsync(IReadOnlyList<Source> sources, CancellationToken cancellation) =>
        store.GuardAsync(async () =>
        {
            var states = new SourceState?[sources.Count];
            if (!await ReadSourcesAsync(sources, states, cancellation))
            {
                await AddSourcesAsync(sources, states, cancellation);
                if (!await ReadSourcesAsync(sources, states, cancellation))
                {
                    throw new InvalidOperationException("a source was added and is not there");
                }
            }
            return (IReadOnlyList<SourceState>)states!;
        });

    public async ValueTask CopyRowsAsync(int logId, RowBatch rows, IReadOnlyList<int> sourceIds, CancellationToken cancellation)
    {
        CopyEncoder encoder = store.RentEncoder();
        try
        {
            await store.GuardAsync(async () =>
            {
                string? partition = await store.Partitions.EnsureAsync(rows, cancellation); // all there, but for dead letters that are tried again
                RowCopy copy = store.Copy(connection, transaction, encoder);
                try
                {
                    if (partition is null || !await copy.TryStraightAsync(partition, logId, rows, sourceIds, cancellation))
                    {
                        await copy.StoreAsync(logId, rows, sourceIds, cancellation);
                    }
                    store.Ranges.Stored(rows.Count);
                }
                catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.ProtocolViolation)
                {
                    // A column wants more bytes than were sent: its type is another. Npgsql has closed the connection.
                    await store.CheckShapeAsync(cancellation);
                    throw;
                }
                catch (PostgresException error) when (PostgresErrors.LacksPartition(error))
                {
                    store.Partitions.Forget();
                    throw;
                }
                return true;
            });
        }
        finally
        {
            store.Return(encoder);
        }
    }

    public ValueTask<int> UpdateLedgerAsync(LedgerUpdate update, CancellationToken cancellation) => store.GuardAsync(async () =>
    {
        await using var command = new NpgsqlCommand(
            "UPDATE logpipe_logs SET next_offset = $1, leader_epoch = $2 WHERE id = $3 AND owner = $4 AND next_offset = $5", connection, transaction)
        {
            Parameters =
            {
                new() { Value = update.Next }, new() { Value = update.LeaderEpoch }, new() { Value = update.LogId },
                new() { Value = update.Owner.Value }, new() { Value = update.Expected },
            },
        };
        return await command.ExecuteNonQueryAsync(cancellation);
    });

    public ValueTask<int> UpdateSourcesAsync(IReadOnlyList<SourceState> sources, CancellationToken cancellation) => store.GuardAsync(async () =>
    {
        if (sources.Count == 0)
        {
            return 0;
        }
        await using var batch = new NpgsqlBatch(connection, transaction);
        foreach (SourceState state in sources)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand("UPDATE logpipe_sources SET stored = $1, version = version + 1 WHERE id = $2 AND version = $3")
            {
                Parameters =
                {
                    new() { Value = Multirange(state.Stored), NpgsqlDbType = NpgsqlDbType.BigIntMultirange },
                    new() { Value = state.Id }, new() { Value = state.Version },
                },
            });
        }
        return await batch.ExecuteNonQueryAsync(cancellation);
    });

    public async ValueTask WriteDeadLettersAsync(IReadOnlyList<DeadLetter> letters, CancellationToken cancellation) => await store.GuardAsync(async () =>
    {
        await using var command = new NpgsqlCommand(
            """
            INSERT INTO logpipe_dead_letters (log, log_offset, time, state, reason, value, source, file_offset, part, flags)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            """, connection, transaction)
        {
            Parameters =
            {
                new() { Value = letters.Select(l => l.LogId).ToArray() }, new() { Value = letters.Select(l => l.Offset).ToArray() },
                new() { Value = letters.Select(l => l.Time.UtcDateTime).ToArray() }, new() { Value = letters.Select(l => l.State).ToArray() },
                new() { Value = letters.Select(l => l.Reason).ToArray() },
                new() { Value = letters.Select(l => l.Value.ToArray()).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea },
                new() { Value = letters.Select(l => l.Place?.Source).ToArray() }, new() { Value = letters.Select(l => l.Place?.FileOffset).ToArray() },
                new() { Value = letters.Select(l => l.Place?.Part).ToArray() }, new() { Value = letters.Select(l => (short?)l.Place?.Flags).ToArray() },
            },
        };
        return await command.ExecuteNonQueryAsync(cancellation);
    });

    public ValueTask<IReadOnlyList<DeadLetter>> TakeDeadLettersAsync(
        string condition, (int Log, long Offset) after, int atMost, CancellationToken cancellation) => store.GuardAsync(async () =>
    {
        // Held beside flushes, and against a swap of tables: the letters' rows go where their ledger rows speak of.
        await connection.ExecuteAsync($"SELECT id FROM logpipe_logs WHERE sink = {SqlLiteral.Of(store.Sink)} FOR KEY SHARE", cancellation);
        await using var command = new NpgsqlCommand($"""
            DELETE FROM logpipe_dead_letters WHERE ctid IN (
                SELECT id FROM (SELECT id, sum(size) OVER (ORDER BY log, log_offset) - size AS before FROM (
                    SELECT ctid AS id, log, log_offset, length(value) AS size FROM logpipe_dead_letters
                    WHERE {condition} AND part IS NOT NULL AND (log, log_offset) > ($1, $2) ORDER BY log, log_offset LIMIT $3 FOR UPDATE) chosen) summed
                WHERE before < {IDeadLetterFlush.TakenBytesMax})
            RETURNING log, log_offset, time, state, reason, value, source, file_offset, part, flags
            """, connection, transaction)
        {
            Parameters = { new() { Value = after.Log }, new() { Value = after.Offset }, new() { Value = atMost } },
        };
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        var letters = new List<DeadLetter>();
        while (await reader.ReadAsync(cancellation))
        {
            var place = new LetterPlace(reader.GetFieldValue<int?>(6), reader.GetFieldValue<long?>(7), reader.GetInt32(8), (PositionFlags)reader.GetInt16(9));
            letters.Add(new DeadLetter(reader.GetInt32(0), reader.GetInt64(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetString(3), reader.GetString(4),
                reader.GetFieldValue<byte[]>(5), place));
        }
        return (IReadOnlyList<DeadLetter>)[.. letters.OrderBy(l => l.LogId).ThenBy(l => l.Offset)];
    });

    public async ValueTask WriteGapAsync(LedgerGap gap, CancellationToken cancellation) => await store.GuardAsync(async () =>
    {
        await using var command = new NpgsqlCommand(
            "INSERT INTO logpipe_gaps (log, from_offset, to_offset, found, reason) VALUES ($1, $2, $3, $4, $5)", connection, transaction)
        {
            Parameters =
            {
                new() { Value = gap.LogId }, new() { Value = gap.From }, new() { Value = gap.To },
                new() { Value = gap.Found.UtcDateTime }, new() { Value = gap.Reason },
            },
        };
        return await command.ExecuteNonQueryAsync(cancellation);
    });

    // A commit that is under way is never cancelled: its outcome would be unknown for nothing.
    public async ValueTask CommitAsync(CancellationToken cancellation) => await store.GuardAsync(async () =>
    {
        await transaction.CommitAsync(CancellationToken.None);
        return true;
    });

    public async ValueTask RollbackAsync(CancellationToken cancellation) => await store.GuardAsync(async () =>
    {
        await transaction.RollbackAsync(cancellation);
        return true;
    });

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }

    private async Task<bool> ReadSourcesAsync(IReadOnlyList<Source> sources, SourceState?[] states, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            SELECT u.at, s.id, s.version, s.stored FROM unnest($2, $3, $4) WITH ORDINALITY AS u(agent_id, generation, topic, at)
            JOIN logpipe_sources s ON s.sink = $1 AND s.agent_id = u.agent_id AND s.generation = u.generation AND s.topic = u.topic
            """, connection, transaction);
        AddKeys(command, sources);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        int found = 0;
        while (await reader.ReadAsync(cancellation))
        {
            int at = (int)reader.GetInt64(0) - 1;
            NpgsqlRange<long>[] ranges = reader.GetFieldValue<NpgsqlRange<long>[]>(3);
            var stored = new StoredRanges(ranges.Select(r => new FileRange(r.LowerBound, r.UpperBound)));
            states[at] = new SourceState(reader.GetInt32(1), sources[at], reader.GetInt64(2), stored);
            found++;
        }
        return found == sources.Count;
    }

    private async Task AddSourcesAsync(IReadOnlyList<Source> sources, SourceState?[] states, CancellationToken cancellation)
    {
        var missing = sources.Where((_, i) => states[i] is null).ToList();
        await using var command = new NpgsqlCommand("""
            INSERT INTO logpipe_sources (sink, agent_id, generation, topic, host, file, stored, version)
            SELECT $1, u.agent_id, u.generation, u.topic, u.host, u.file, '{}', 0
            FROM unnest($2, $3, $4, $5, $6) WITH ORDINALITY AS u(agent_id, generation, topic, host, file, at) ORDER BY u.at
            ON CONFLICT DO NOTHING
            """, connection, transaction);
        AddKeys(command, missing);
        command.Parameters.Add(new() { Value = missing.Select(s => s.Host).ToArray() });
        command.Parameters.Add(new() { Value = missing.Select(s => s.File).ToArray() });
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private void AddKeys(NpgsqlCommand command, IReadOnlyList<Source> sources)
    {
        command.Parameters.Add(new() { Value = store.Sink });
        command.Parameters.Add(new() { Value = sources.Select(s => s.Key.AgentId).ToArray() });
        command.Parameters.Add(new() { Value = sources.Select(s => s.Key.GenerationText).ToArray() });
        command.Parameters.Add(new() { Value = sources.Select(s => s.Key.Topic).ToArray() });
    }

    private static NpgsqlRange<long>[] Multirange(StoredRanges stored) =>
        [.. stored.Ranges.Select(r => new NpgsqlRange<long>(r.Begin, true, r.End, false))];
}
