using System.Data.Common;
using LogPipeline.Contract;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Query.Live;

/// <summary>
/// Tells which records marked <c>again</c> repeat others, as the sink does or will: what is stored below the ledger's end is there to be read, and what
/// came live beyond it is kept here, as ranges of files.
/// </summary>
internal sealed class SentAgain(ISqlDialect dialect, string sink, TableName table)
{
    private readonly Dictionary<SourceKey, StoredRanges> _live = [];

    /// <param name="log">The ledger's number of the log; null where it has none yet.</param>
    /// <param name="rows">Holds the record.</param>
    /// <param name="row">The record.</param>
    /// <param name="cancellation">Ends the question.</param>
    public async ValueTask<bool> IsRepeatAsync(int? log, RowBatch rows, Row row, CancellationToken cancellation)
    {
        if (row.Source < 0)
        {
            return false;
        }
        SourceKey key = rows.Sources[row.Source].Key;
        if (!_live.TryGetValue(key, out StoredRanges? live))
        {
            _live.Add(key, live = new StoredRanges());
        }
        if ((row.Flags & PositionFlags.Again) != 0 && await IsKnownAsync(log, key, row, live, cancellation))
        {
            return true;
        }
        live.Add(row.CoveredBegin, row.CoveredEnd);
        return false;
    }

    private async ValueTask<bool> IsKnownAsync(int? log, SourceKey key, Row row, StoredRanges live, CancellationToken cancellation)
    {
        if (log is not { } id)
        {
            return live.Contains(row.CoveredBegin, row.CoveredEnd);
        }
        // One statement, so that the ledger's end, the ranges and the row are of one moment.
        var statement = new SqlStatement($"""
            SELECT l.next_offset,
                (SELECT CAST(s.stored AS text) FROM logpipe_sources s WHERE s.sink = @p0 AND CAST(s.agent_id AS text) = @p1 AND s.generation = @p2 AND s.topic = @p3),
                CASE WHEN l.next_offset > @p4 AND EXISTS (SELECT 1 FROM {table.Rows} r WHERE r.log = l.id AND r.log_offset = @p4) THEN 1 ELSE 0 END
            FROM logpipe_logs l WHERE l.id = @p5
            """, [sink, key.AgentId.ToString(), key.GenerationText, key.Topic, row.Offset, id]);
        await using DbConnection connection = await dialect.OpenAsync(cancellation);
        await using DbCommand command = statement.Command(connection);
        await using DbDataReader reader = await dialect.AskAsync(command.ExecuteReaderAsync(cancellation));
        if (!await dialect.AskAsync(reader.ReadAsync(cancellation)))
        {
            return live.Contains(row.CoveredBegin, row.CoveredEnd);
        }
        if (reader.GetInt64(0) > row.Offset)
        {
            return reader.GetInt32(2) == 0; // the sink has come past it: it is a row, or it was left out
        }
        StoredRanges known = reader.IsDBNull(1) ? new StoredRanges() : RangeText.Parse(reader.GetString(1));
        foreach (FileRange range in live.Ranges)
        {
            known.Add(range.Begin, range.End);
        }
        return known.Contains(row.CoveredBegin, row.CoveredEnd);
    }
}
