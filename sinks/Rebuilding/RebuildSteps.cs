using System.Text.Json;
using LogPipeline.Client.Connections;
using LogPipeline.Files;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Verification;
using Npgsql;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>
/// What leads from each stage of a rebuild to the next. A table is a projection of the log, so a shadow table is filled from the log by a sink like any other,
/// under a name of its own: its ledger rows, sources and dead letters are its own, and no step of the live sink knows of it. Each step's effect and the
/// new stage are one transaction; two processes that take the same step do it once.
/// </summary>
internal sealed class RebuildSteps(RebuildTable table, SinkOptions live, IConnector connector, SinkEnvironment environment)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>So long the live sink's flushes may wait for the shadow to reach them.</summary>
    private static readonly TimeSpan CatchUpMax = TimeSpan.FromSeconds(10);

    /// <summary>The sink that fills the shadow.</summary>
    public static SinkOptions ShadowOf(SinkOptions live, Rebuild rebuild)
    {
        SinkOptions parsed = live.With(rebuild.Parser);
        return parsed with
        {
            Name = rebuild.Shadow.Sink,
            StartFrom = "earliest", // of partitions that appear later; the others' ledger rows are made before
            Postgres = parsed.Postgres! with { Table = rebuild.Shadow.Table.ToString() },
        };
    }

    /// <summary>Takes the step that leads on from a stage; does nothing when the rebuild is elsewhere by now.</summary>
    /// <exception cref="RebuildRefusedException">It cannot be taken, and trying again does not help.</exception>
    public Task TakeAsync(Rebuild rebuild, CancellationToken cancellation) => rebuild.Stage switch
    {
        RebuildStage.Requested => CreateShadowAsync(rebuild, cancellation),
        RebuildStage.ShadowCreated => MoveAsync(rebuild, RebuildStage.Filling, cancellation),
        RebuildStage.Filling => CatchUpAsync(rebuild, cancellation),
        RebuildStage.CaughtUp => ProveAsync(rebuild, cancellation),
        RebuildStage.Verified => SwapWhenPossibleAsync(rebuild, cancellation),
        _ => Task.CompletedTask,
    };

    /// <summary>Gives a rebuild up that has the stage which it is known to have: the shadow goes in the same transaction.</summary>
    public Task AbortAsync(Rebuild rebuild, string reason, CancellationToken cancellation) => InTransactionAsync(rebuild, async connection =>
    {
        await DropShadowAsync(connection, rebuild, cancellation);
        await RebuildTable.MoveAsync(connection, rebuild, RebuildStage.Aborted, keepsOther: false, reason, cancellation);
        return true;
    }, cancellation);

    /// <summary>Removes what the shadow sink made after its rebuild had ended and before it was stopped: a table of that name, or a ledger row.</summary>
    public Task ClearAsync(Rebuild ended, CancellationToken cancellation) => InTransactionAsync(ended, async connection =>
    {
        await DropShadowAsync(connection, ended, cancellation);
        return true;
    }, cancellation);

    private static async Task DropShadowAsync(NpgsqlConnection connection, Rebuild rebuild, CancellationToken cancellation)
    {
        await TableSwap.LockLedgerAsync(connection, rebuild.Shadow.Sink, cancellation); // a flush under way ends first
        await TableSwap.DropAsync(connection, rebuild.Shadow, cancellation);
    }

    private Task<bool> MoveAsync(Rebuild rebuild, RebuildStage to, CancellationToken cancellation) => InTransactionAsync(rebuild, async connection =>
    {
        await RebuildTable.MoveAsync(connection, rebuild, to, keepsOther: false, null, cancellation);
        return true;
    }, cancellation);

    private async Task CreateShadowAsync(Rebuild rebuild, CancellationToken cancellation)
    {
        IReadOnlyList<RebuildStart> starts = await new RebuildStarts(live, connector, environment).FindAsync(rebuild.Shadow.Sink, rebuild.FromOffset, rebuild.FromTime, cancellation);
        if (!rebuild.LeavesOlder)
        {
            await RequireNoneOlderAsync(rebuild, starts, cancellation);
        }
        await using (ISinkStore store = SinkStores.Create(ShadowOf(live, rebuild), new OsFileSystem(), environment.Time, new Random(environment.Random.Next())))
        {
            await store.OpenAsync(cancellation);
            await store.CreateAsync([.. starts.Select(start => new LedgerStart(start.Log, start.First))], cancellation);
        }
        await InTransactionAsync(rebuild, async connection =>
        {
            foreach (RebuildStart start in starts.Where(start => start.First > start.LogStart))
            {
                await NoteLeftOutAsync(connection, start, cancellation);
            }
            await using var note = new NpgsqlCommand(
                "UPDATE logpipe_rebuilds SET first_offsets = (SELECT coalesce(sum(next_offset), 0) FROM logpipe_logs WHERE sink = $1), old_parser = $2, old_config_hash = $3 WHERE id = $4", connection)
            {
                Parameters =
                {
                    new() { Value = rebuild.Shadow.Sink }, new() { Value = JsonSerializer.Serialize(live.Parser) },
                    new() { Value = RowColumns.ConfigHash(LineParsers.Named(live.Parser)) }, new() { Value = rebuild.Id },
                },
            };
            await note.ExecuteNonQueryAsync(cancellation);
            await RebuildTable.MoveAsync(connection, rebuild, RebuildStage.ShadowCreated, keepsOther: false, null, cancellation);
            return true;
        }, cancellation);
    }

    /// <summary>A verification of the table is to know that these records have no rows.</summary>
    private static async Task NoteLeftOutAsync(NpgsqlConnection connection, RebuildStart start, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"""
            INSERT INTO logpipe_gaps (log, from_offset, to_offset, found, reason)
            SELECT id, $6, next_offset, now(), '{LedgerGap.LeftOut}' FROM logpipe_logs WHERE (sink, cluster_id, topic_id, topic, partition) = ($1, $2, $3, $4, $5) AND next_offset > $6
            """, connection)
        {
            Parameters =
            {
                new() { Value = start.Log.Sink }, new() { Value = start.Log.ClusterId }, new() { Value = start.Log.TopicId }, new() { Value = start.Log.Topic },
                new() { Value = start.Log.Partition }, new() { Value = start.LogStart },
            },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <exception cref="RebuildRefusedException">Rows of the live table would be in the new one no more: says how many.</exception>
    private async Task RequireNoneOlderAsync(Rebuild rebuild, IReadOnlyList<RebuildStart> starts, CancellationToken cancellation)
    {
        long older = await table.GuardAsync(async () =>
        {
            await using NpgsqlConnection connection = await table.OpenAsync(cancellation);
            await using var count = new NpgsqlCommand($"""
                SELECT count(*) FROM {rebuild.Live.Rows} r JOIN logpipe_logs l ON l.id = r.log
                LEFT JOIN unnest($1, $2, $3, $4) AS s(topic_id, topic, partition, first) ON (s.topic_id, s.topic, s.partition) = (l.topic_id, l.topic, l.partition)
                WHERE r.log_offset < coalesce(s.first, 9223372036854775807)
                """, connection)
            {
                CommandTimeout = 0,
                Parameters =
                {
                    new() { Value = starts.Select(s => s.Log.TopicId).ToArray() }, new() { Value = starts.Select(s => s.Log.Topic).ToArray() },
                    new() { Value = starts.Select(s => s.Log.Partition).ToArray() }, new() { Value = starts.Select(s => s.First).ToArray() },
                },
            };
            return (long)(await count.ExecuteScalarAsync(cancellation))!;
        });
        if (older > 0)
        {
            throw new RebuildRefusedException(
                $"{older} rows of {rebuild.Table} are from before the records that the new table would begin with: they are not in the log any more, or --from leaves them out. --without-older lets them go with the old table");
        }
    }

    /// <summary>Waits until the shadow has what the live table had a look ago: under load one of the two is always a little ahead.</summary>
    private async Task CatchUpAsync(Rebuild rebuild, CancellationToken cancellation)
    {
        Dictionary<int, long> wanted = (await table.OffsetsAsync(rebuild, cancellation)).ToDictionary(at => at.Log, at => at.Live);
        while ((await table.FindAsync(rebuild.Id, cancellation))?.Stage == RebuildStage.Filling)
        {
            IReadOnlyList<(int Log, long Live, long Shadow)> now = await table.OffsetsAsync(rebuild, cancellation);
            if (now.All(at => wanted.TryGetValue(at.Log, out long live) && at.Shadow >= live))
            {
                await MoveAsync(rebuild, RebuildStage.CaughtUp, cancellation);
                return;
            }
            wanted = now.ToDictionary(at => at.Log, at => at.Live);
            await Task.Delay(LookInterval, environment.Time, cancellation);
        }
    }

    /// <summary>Compares the shadow's rows below offsets that it pins with the log's records, while it goes on.</summary>
    private async Task ProveAsync(Rebuild rebuild, CancellationToken cancellation)
    {
        await InTransactionAsync(rebuild, async connection =>
        {
            await TakeRemovalsOverAsync(connection, rebuild, cancellation);
            return true;
        }, cancellation);
        var verifier = new Verifier(ShadowOf(live, rebuild), connector, new OsFileSystem(), environment.Time, new Random(environment.Random.Next()));
        VerifyReport report = await verifier.RunAsync(null, cancellation);
        Finding[] wrong = [.. report.Findings.Where(finding => finding.Side is FindingSide.TableMissing or FindingSide.TableRepeated or FindingSide.TableDiffers or FindingSide.LedgerDiffers)];
        if (wrong.Length > 0)
        {
            throw new RebuildRefusedException($"the new table is not what the log has, in {wrong.Length} place{(wrong.Length == 1 ? "" : "s")}; the first: {wrong[0].Text}");
        }
        await MoveAsync(rebuild, RebuildStage.Verified, cancellation);
    }

    /// <summary>What people removed from the live table for good, and noted, is removed from the shadow too.</summary>
    private static async Task TakeRemovalsOverAsync(NpgsqlConnection connection, Rebuild rebuild, CancellationToken cancellation)
    {
        string fresh = $"""
            (SELECT shadow.id AS log, p.from_offset, p.to_offset FROM {RebuildTable.Pairs.Replace("$1", SqlLiteral.Of(rebuild.Sink), StringComparison.Ordinal)
                .Replace("$2", SqlLiteral.Of(rebuild.Shadow.Sink), StringComparison.Ordinal)} JOIN logpipe_repairs p ON p.log = live.id
            WHERE NOT EXISTS (SELECT FROM logpipe_repairs q WHERE (q.log, q.from_offset, q.to_offset) = (shadow.id, p.from_offset, p.to_offset)))
            """;
        if (await connection.ScalarAsync($"SELECT EXISTS {fresh}", cancellation) is not true)
        {
            return;
        }
        foreach (string from in new[] { rebuild.Shadow.Table.Rows, "logpipe_dead_letters" })
        {
            await connection.ExecuteAsync($"DELETE FROM {from} r USING {fresh} p WHERE r.log = p.log AND r.log_offset >= p.from_offset AND r.log_offset < p.to_offset", cancellation);
        }
        await connection.ExecuteAsync($"INSERT INTO logpipe_repairs (log, from_offset, to_offset) SELECT DISTINCT log, from_offset, to_offset FROM {fresh} p", cancellation);
    }

    /// <summary>Tries to swap until nothing is in the way any more, and notes what is.</summary>
    private async Task SwapWhenPossibleAsync(Rebuild rebuild, CancellationToken cancellation)
    {
        while ((await table.FindAsync(rebuild.Id, cancellation))?.Stage == RebuildStage.Verified)
        {
            string? obstacle;
            try
            {
                obstacle = await SwapAsync(rebuild, cancellation) ? null : "the shadow does not reach the live table";
            }
            catch (Exception error) when (error is RebuildRefusedException or StoreUnavailableException or StoreRefusedException)
            {
                obstacle = error.Message;
            }
            if (obstacle is null)
            {
                return;
            }
            await table.NoteAsync(rebuild, $"the swap waits: {obstacle}", cancellation);
            await Task.Delay(LookInterval, environment.Time, cancellation);
        }
    }

    private Task<bool> SwapAsync(Rebuild rebuild, CancellationToken cancellation) => InTransactionAsync(rebuild, async connection =>
    {
        await connection.ExecuteAsync("SET LOCAL lock_timeout = '5s'", cancellation); // nobody waits for longer behind this
        await TableSwap.LockNamesAsync(connection, cancellation);
        await TableSwap.LockLedgerAsync(connection, rebuild.Sink, cancellation);
        // From here on the live table stands, and the shadow gets as far: no row that people have seen is missing for a moment.
        long begun = environment.Time.GetTimestamp();
        while ((await table.ProgressAsync(rebuild, cancellation)).Left > 0)
        {
            if (environment.Time.GetElapsedTime(begun) > CatchUpMax)
            {
                return false;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(20), environment.Time, cancellation);
        }
        await TableSwap.LockLedgerAsync(connection, rebuild.Shadow.Sink, cancellation);
        await TakeRemovalsOverAsync(connection, rebuild, cancellation);
        await new TableSwap(connection, new SinkTable(rebuild.Sink, rebuild.Live), rebuild.Shadow, rebuild.Before).RunAsync(cancellation);
        await RebuildTable.MoveAsync(connection, rebuild, RebuildStage.Swapped, keepsOther: true, null, cancellation);
        return true;
    }, cancellation);

    /// <summary>Runs work in a transaction that holds the rebuild's row, and commits it; nothing when the rebuild has another stage by now, which counts as done.</summary>
    private Task<bool> InTransactionAsync(Rebuild rebuild, Func<NpgsqlConnection, Task<bool>> work, CancellationToken cancellation) => table.InTransactionAsync(
        rebuild.Id, async (connection, now) => now.Stage != rebuild.Stage || await work(connection), cancellation);
}
