using System.Data.Common;

namespace LogPipeline.Sinks.Ledger;

/// <summary>Removes records from a sink's database for good, and notes their offsets in <c>logpipe_repairs</c>, so that a verification does not miss them.</summary>
internal static class NotedRemoval
{
    /// <param name="transaction">The caller commits it.</param>
    /// <param name="delete">A DELETE that returns log and log_offset.</param>
    /// <param name="isNoted">False where another row stands for each record.</param>
    /// <param name="cancellation">Ends the removal; the transaction is to be rolled back then.</param>
    /// <returns>How many rows were removed.</returns>
    public static async Task<long> RunAsync(DbTransaction transaction, string delete, bool isNoted, CancellationToken cancellation)
    {
        var offsets = new List<(int Log, long Offset)>();
        await using (DbCommand command = Command(transaction, delete))
        await using (DbDataReader reader = await command.ExecuteReaderAsync(cancellation))
        {
            while (await reader.ReadAsync(cancellation))
            {
                offsets.Add((reader.GetInt32(0), reader.GetInt64(1)));
            }
        }
        foreach (IGrouping<int, (int Log, long Offset)> log in isNoted ? offsets.GroupBy(static at => at.Log) : [])
        {
            var ranges = new StoredRanges();
            foreach ((int _, long offset) in log.Order())
            {
                ranges.Add(offset, offset + 1);
            }
            foreach ((long from, long to) in ranges.Ranges)
            {
                await using DbCommand note = Command(transaction, $"INSERT INTO logpipe_repairs (log, from_offset, to_offset) VALUES ({log.Key}, {from}, {to})");
                await note.ExecuteNonQueryAsync(cancellation);
            }
        }
        return offsets.Count;
    }

    private static DbCommand Command(DbTransaction transaction, string sql)
    {
        DbCommand command = transaction.Connection!.CreateCommand();
        (command.Transaction, command.CommandText, command.CommandTimeout) = (transaction, sql, 0);
        return command;
    }
}
