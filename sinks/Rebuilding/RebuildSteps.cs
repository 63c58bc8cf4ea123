using System.Data.Common;
using System.Text.Json;
using LogPipeline.Client.Connections;
using LogPipeline.Files;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Verification;

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

    /// <summary>A swap waits no longer for a lock: others wait behind it.</summary>
    private const int LockSeconds = 5;

    private const string IsBehind = "the shadow does not reach the live table";

    /// <summary>The sink that fills the shadow.</summary>
    public static SinkOptions ShadowOf(SinkOptions live, Rebuild rebuild) => live.With(rebuild.Parser).With(rebuild.Shadow.Table) with
    {
        Name = rebuild.Shadow.Sink,
        StartFrom = "earliest", // of partitions that appear later; the others' ledger rows are made before
    };

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
        await table.MoveAsync(connection, rebuild, RebuildStage.Aborted, keepsOther: false, reason, cancellation);
        return true;
    }, cancellation);

    /// <summary>Removes what the shadow sink made after its rebuild had ended and before it was stopped: a table of that name, or a ledger row.</summary>
    public Task ClearAsync(Rebuild ended, CancellationToken cancellation) => InTransactionAsync(ended, async connection =>
    {
        await DropShadowAsync(connection, ended, cancellation);
        return true;
    }, cancellation);

    private async Task DropShadowAsync(DbConnection connection, Rebuild rebuild, CancellationToken cancellation)
    {
        await table.Database.HoldLedgerAsync(connection, rebuild.Shadow.Sink, cancellation); // a flush under way ends first
        await new TableSwap(table.Database, connection).DropAsync(rebuild.Shadow, cancellation);
    }

    private Task<bool> MoveAsync(Rebuild rebuild, RebuildStage to, CancellationToken cancellation) => InTransactionAsync(rebuild, async connection =>
    {
        await table.MoveAsync(connection, rebuild, to, keepsOther: false, null, cancellation);
        return true;
    }, cancellation);

    private async Task CreateShadowAsync(Rebuild rebuild, CancellationToken cancellation)
    {
        IReadOnlyList<RebuildStart> starts = await StartsAsync(rebuild, cancellation);
        if (!rebuild.LeavesOlder)
        {
            await new RebuildLosses(table, rebuild).RequireNoneOlderAsync(starts, cancellation);
        }
        await using (ISinkStore store = SinkStores.Create(ShadowOf(live, rebuild), new OsFileSystem(), environment.Time, new Random(environment.Random.Next())))
        {
            await store.OpenAsync(cancellation);
            await store.CreateAsync([.. starts.Select(start => new LedgerStart(start.Log, start.First) { LeftOut = (start.LogStart, LedgerGap.LeftOut) })], cancellation);
        }
        await InTransactionAsync(rebuild, async connection =>
        {
            await connection.ExecuteAsync(
                "UPDATE logpipe_rebuilds SET first_offsets = (SELECT coalesce(sum(next_offset), 0) FROM logpipe_logs WHERE sink = @p0), old_parser = @p1, old_config_hash = @p2 WHERE id = @p3",
                cancellation, rebuild.Shadow.Sink, JsonSerializer.Serialize(live.Parser), RowColumns.ConfigHash(LineParsers.Named(live.Parser)), rebuild.Id);
            await table.MoveAsync(connection, rebuild, RebuildStage.ShadowCreated, keepsOther: false, null, cancellation);
            return true;
        }, cancellation);
    }

    /// <summary>Waits until the shadow has what the live table had a look ago: under load one of the two is always a little ahead.</summary>
    private async Task CatchUpAsync(Rebuild rebuild, CancellationToken cancellation)
    {
        IReadOnlyList<(int Log, long Live, long Shadow)> before = await table.OffsetsAsync(rebuild, cancellation);
        while ((await table.FindAsync(rebuild.Id, cancellation))?.Stage == RebuildStage.Filling)
        {
            IReadOnlyList<(int Log, long Live, long Shadow)> now = await table.OffsetsAsync(rebuild, cancellation);
            if (now.All(at => before.Any(earlier => earlier.Log == at.Log && at.Shadow >= earlier.Live)))
            {
                await MoveAsync(rebuild, RebuildStage.CaughtUp, cancellation);
                return;
            }
            if (now.Any(at => at.Shadow < at.Live && before.Any(earlier => (earlier.Log, earlier.Shadow) == (at.Log, at.Shadow))))
            {
                await RequireLogsAsync(rebuild, cancellation);
            }
            before = now;
            await Task.Delay(LookInterval, environment.Time, cancellation);
        }
    }

    private Task<IReadOnlyList<RebuildStart>> StartsAsync(Rebuild rebuild, CancellationToken cancellation) =>
        new RebuildStarts(live, connector, environment).FindAsync(rebuild.Shadow.Sink, rebuild.FromOffset, rebuild.FromTime, cancellation);

    private async Task RequireLogsAsync(Rebuild rebuild, CancellationToken cancellation) =>
        await new RebuildLosses(table, rebuild).RequireLogsAsync(await StartsAsync(rebuild, cancellation), cancellation);

    private Task RequireNonePassedOverAsync(Rebuild rebuild, CancellationToken cancellation) =>
        rebuild.LeavesOlder ? Task.CompletedTask : new RebuildLosses(table, rebuild).RequireNonePassedOverAsync(cancellation);

    /// <summary>Compares the shadow's rows below offsets that it pins with the log's records, while it goes on.</summary>
    private async Task ProveAsync(Rebuild rebuild, CancellationToken cancellation)
    {
        await InTransactionAsync(rebuild, async connection =>
        {
            await TakenOverRemovals.TakeAsync(connection, rebuild.Sink, rebuild.Shadow, cancellation);
            return true;
        }, cancellation);
        await RequireNonePassedOverAsync(rebuild, cancellation);
        var verifier = new Verifier(ShadowOf(live, rebuild), connector, new OsFileSystem(), environment.Time, new Random(environment.Random.Next()));
        VerifyReport report = await verifier.RunAsync(null, cancellation);
        Finding[] wrong = [.. report.Findings.Where(finding => finding.Side is FindingSide.TableMissing or FindingSide.TableRepeated or FindingSide.TableDiffers or FindingSide.LedgerDiffers)];
        if (wrong.Length > 0)
        {
            throw new RebuildRefusedException($"the new table is not what the log has, in {wrong.Length} place{(wrong.Length == 1 ? "" : "s")}; the first: {wrong[0].Text}");
        }
        await MoveAsync(rebuild, RebuildStage.Verified, cancellation);
    }

    /// <summary>Tries to swap until nothing is in the way any more, and notes what is.</summary>
    private async Task SwapWhenPossibleAsync(Rebuild rebuild, CancellationToken cancellation)
    {
        while ((await table.FindAsync(rebuild.Id, cancellation))?.Stage == RebuildStage.Verified)
        {
            await RequireNonePassedOverAsync(rebuild, cancellation);
            string? obstacle;
            try
            {
                obstacle = await SwapAsync(rebuild, cancellation) ? null : IsBehind;
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
            if (obstacle == IsBehind)
            {
                await RequireLogsAsync(rebuild, cancellation);
            }
            await Task.Delay(LookInterval, environment.Time, cancellation);
        }
    }

    private async Task<bool> SwapAsync(Rebuild rebuild, CancellationToken cancellation)
    {
        // What is stored in the live table meanwhile the shadow would have to reach too.
        using IDisposable held = environment.Pauses.Hold();
        IRebuildDatabase database = table.Database;
        if (!database.HoldsRowsAlone && !await ReachAsync(rebuild, CatchUpMax, cancellation))
        {
            return false;
        }
        return await InTransactionAsync(rebuild, async connection =>
        {
            await database.HoldNamesAsync(connection, cancellation);
            await database.HoldLedgerAsync(connection, rebuild.Sink, cancellation);
            await RequireParserAsync(connection, rebuild, cancellation);
            // From here on the live table stands, and the shadow gets as far: no row that people have seen is missing for a moment.
            if (!await ReachAsync(rebuild, database.HoldsRowsAlone ? CatchUpMax : TimeSpan.Zero, cancellation))
            {
                return false;
            }
            await database.HoldLedgerAsync(connection, rebuild.Shadow.Sink, cancellation);
            await TakenOverRemovals.TakeAsync(connection, rebuild.Sink, rebuild.Shadow, cancellation);
            await new TableSwap(database, connection).RunAsync(new SinkTable(rebuild.Sink, rebuild.Live), rebuild.Shadow, rebuild.Before, cancellation);
            await table.MoveAsync(connection, rebuild, RebuildStage.Swapped, keepsOther: true, null, cancellation);
            return true;
        }, cancellation, LockSeconds);
    }

    /// <exception cref="RebuildRefusedException">The live table was taken over to another parser since: its sink would find a table of a third one.</exception>
    private static async Task RequireParserAsync(DbConnection connection, Rebuild rebuild, CancellationToken cancellation)
    {
        const string other = "SELECT l.config_hash FROM logpipe_logs l JOIN logpipe_rebuilds r ON r.id = @p0 WHERE l.sink = @p1 AND l.config_hash <> r.old_config_hash LIMIT 1";
        if (await connection.ScalarAsync(other, cancellation, rebuild.Id, rebuild.Sink) is string hash)
        {
            throw new RebuildRefusedException($"{rebuild.Table} was taken over to parser {RowColumns.ParserOf(hash)} since the rebuild began: `logpipe rebuild {rebuild.Table} --abort` gives it up, and then it can be asked for again");
        }
    }

    /// <summary>Whether the shadow gets as far as the live table within a time.</summary>
    private async Task<bool> ReachAsync(Rebuild rebuild, TimeSpan within, CancellationToken cancellation)
    {
        long begun = environment.Time.GetTimestamp();
        while ((await table.ProgressAsync(rebuild, cancellation)).Left > 0)
        {
            if (environment.Time.GetElapsedTime(begun) >= within)
            {
                return false;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(20), environment.Time, cancellation);
        }
        return true;
    }

    /// <summary>Runs work in a transaction that holds the rebuild's row, and commits it; nothing when the rebuild has another stage by now, which counts as done.</summary>
    private Task<bool> InTransactionAsync(Rebuild rebuild, Func<DbConnection, Task<bool>> work, CancellationToken cancellation, int lockSeconds = 0) => table.InTransactionAsync(
        rebuild.Id, async (connection, now) => now.Stage != rebuild.Stage || await work(connection), cancellation, lockSeconds);
}
