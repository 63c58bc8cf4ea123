using System.Data.Common;
using LogPipeline.Client.Connections;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>What people may do with a rebuild beside asking for it: give it up, swap the table before back in, drop the one that is not live. Each is one transaction.</summary>
/// <param name="table">The sink's rebuilds.</param>
/// <param name="sink">As the configuration has it.</param>
/// <param name="connector">The way to the brokers.</param>
/// <param name="random">Spreads tries.</param>
public sealed class KeptTable(RebuildTable table, SinkOptions sink, IConnector connector, Random random)
{
    /// <summary>Swaps the table before the last rebuild back in. It goes on at the offsets where it stopped.</summary>
    /// <param name="leavesOlder">Whether records that the log no longer has may be missing in it.</param>
    /// <param name="cancellation">Ends it, undone.</param>
    /// <returns>What was done, for people.</returns>
    /// <exception cref="RebuildRefusedException">No table is kept, or the log no longer has what came since.</exception>
    public async Task<string> RollBackAsync(bool leavesOlder, CancellationToken cancellation)
    {
        Rebuild rebuild = await KeptAsync(cancellation);
        if (rebuild.Stage != RebuildStage.Swapped)
        {
            throw new RebuildRefusedException($"{rebuild} was rolled back already; what it made is kept as {rebuild.Undone.Table}, and `logpipe rebuild {rebuild.Table} --drop-old` drops it");
        }
        var environment = new SinkEnvironment { Random = random };
        IReadOnlyList<RebuildStart> starts = await new RebuildStarts(sink, connector, environment).FindAsync(rebuild.Before.Sink, null, null, cancellation);
        return await InTransactionAsync(rebuild, async connection =>
        {
            await table.Database.HoldNamesAsync(connection, cancellation);
            await table.Database.HoldLedgerAsync(connection, rebuild.Sink, cancellation);
            await table.Database.HoldLedgerAsync(connection, rebuild.Before.Sink, cancellation);
            if (!leavesOlder)
            {
                await RequireLogAsync(connection, rebuild, starts, cancellation);
            }
            await TakenOverRemovals.TakeAsync(connection, rebuild.Sink, rebuild.Before, cancellation);
            long again = await TakenOverRemovals.CountBehindAsync(connection, rebuild.Sink, rebuild.Before.Sink, cancellation);
            await new TableSwap(table.Database, connection).RunAsync(new SinkTable(rebuild.Sink, rebuild.Live), rebuild.Before, rebuild.Undone, cancellation);
            await table.MoveAsync(connection, rebuild, RebuildStage.RolledBack, keepsOther: true, null, cancellation);
            return $"{rebuild.Table} is the table before {rebuild} again, and stores what came since; the other one is kept as {rebuild.Undone.Table} until --drop-old{(again == 0 ? "" : $". {WhatComesAgain(rebuild, again)}")}";
        }, cancellation);
    }

    /// <summary>Drops the table that is not live.</summary>
    /// <exception cref="RebuildRefusedException">Says what is missing for it.</exception>
    public async Task<string> DropAsync(CancellationToken cancellation)
    {
        Rebuild rebuild = await KeptAsync(cancellation);
        SinkOptions inUse = await TableParser.InUseAsync(sink, cancellation);
        if (!ReferenceEquals(inUse, sink))
        {
            throw new RebuildRefusedException($"the configuration says parser {sink.Parser} still, and {rebuild.Table} is filled by {inUse.Parser}: write that first, or the sink's next start would take the table over to the other one");
        }
        return await InTransactionAsync(rebuild, async connection =>
        {
            await new TableSwap(table.Database, connection).DropAsync(rebuild.Other, cancellation);
            await table.MoveAsync(connection, rebuild, rebuild.Stage, keepsOther: false, null, cancellation);
            return $"{rebuild.Other.Table} is dropped";
        }, cancellation);
    }

    /// <summary>Gives the rebuild that is under way up.</summary>
    /// <exception cref="RebuildRefusedException">Says what is missing for it.</exception>
    public async Task<string> AbortAsync(string reason, CancellationToken cancellation)
    {
        Rebuild? given = null;
        var steps = new RebuildSteps(table, sink, connector, new SinkEnvironment { Random = random });
        // It may go on to its next stage meanwhile.
        while (await table.FindAsync(null, cancellation) is { IsUnderWay: true } now)
        {
            given = now;
            await steps.AbortAsync(now, reason, cancellation);
        }
        return (await table.FindAsync(null, cancellation))?.Stage == RebuildStage.Aborted && given is not null ? $"{given} is given up; {given.Table} is as it was"
            : throw new RebuildRefusedException($"no rebuild of {sink.Table} is under way{(given is null ? "" : ": it has ended meanwhile")}");
    }

    private async Task<Rebuild> KeptAsync(CancellationToken cancellation) => await table.FindAsync(null, cancellation) is { KeepsOther: true } rebuild ? rebuild
        : throw new RebuildRefusedException($"no other table of {sink.Table} is kept: it was not rebuilt, or --drop-old dropped it");

    /// <exception cref="RebuildRefusedException">Says how many records are gone.</exception>
    private static async Task RequireLogAsync(DbConnection connection, Rebuild rebuild, IReadOnlyList<RebuildStart> starts, CancellationToken cancellation)
    {
        IReadOnlyList<LedgerEnd> ends = await RebuildTable.EndsAsync(connection, rebuild.Before.Sink, cancellation);
        long gone = 0;
        foreach (LedgerEnd log in await RebuildTable.EndsAsync(connection, rebuild.Sink, cancellation))
        {
            long stopped = ends.FirstOrDefault(end => (end.TopicId, end.Topic, end.Partition) == (log.TopicId, log.Topic, log.Partition))?.Next ?? 0;
            long logStart = starts.FirstOrDefault(start => start.IsOf(log))?.LogStart ?? long.MaxValue; // of a topic that was deleted nothing is left
            gone += Math.Max(0, Math.Min(log.Next, logStart) - stopped);
        }
        if (gone > 0)
        {
            throw new RebuildRefusedException($"the table before stopped at the swap, and the log no longer has {gone} records that came since: they would be missing in it. --without-older rolls back all the same");
        }
    }

    private static string WhatComesAgain(Rebuild rebuild, long records) =>
        $"{records} record{(records == 1 ? "" : "s")} that came since the swap, and that you removed, will be stored again: when the sink has them, remove them once more (logpipe_repairs has their offsets, of sink {rebuild.Undone.Sink} in logpipe_logs)";

    private async Task<string> InTransactionAsync(Rebuild rebuild, Func<DbConnection, Task<string>> work, CancellationToken cancellation)
    {
        string done = "";
        await table.InTransactionAsync(rebuild.Id, async (connection, now) =>
        {
            if ((now.Stage, now.KeepsOther) != (rebuild.Stage, rebuild.KeepsOther))
            {
                throw new RebuildRefusedException($"{rebuild} was changed by somebody else meanwhile: it is {now.Stage}");
            }
            done = await work(connection);
            return true;
        }, cancellation, lockSeconds: 10);
        return done;
    }
}
