using System.Data.Common;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Query;

/// <summary>Where a log's committed rows end, as the ledger says.</summary>
/// <param name="Id">The ledger's own number of the log.</param>
/// <param name="ClusterId">Where the log is.</param>
/// <param name="TopicId">Tells it from a topic of the same name that was made later.</param>
/// <param name="Topic">Its topic.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Next">The first offset that has no row yet: all below are committed.</param>
internal sealed record LedgerEnd(int Id, string ClusterId, Guid TopicId, string Topic, int Partition, long Next);

/// <summary>Reads where a sink's logs end.</summary>
internal sealed class LedgerEnds(ISqlDialect dialect, string sink, TableName table)
{
    public async Task<IReadOnlyList<LedgerEnd>> ReadAsync(CancellationToken cancellation)
    {
        var ends = new List<LedgerEnd>();
        await using DbConnection connection = await dialect.OpenAsync(cancellation);
        await using DbCommand command = new SqlStatement(
            "SELECT id, cluster_id, CAST(topic_id AS text), topic, partition, next_offset FROM logpipe_logs WHERE table_name = @p0 AND sink = @p1 ORDER BY id", [table.ToString(), sink])
            .Command(connection);
        await using DbDataReader reader = await dialect.AskAsync(command.ExecuteReaderAsync(cancellation));
        while (await dialect.AskAsync(reader.ReadAsync(cancellation)))
        {
            ends.Add(Read(reader));
        }
        return ends;
    }

    /// <summary>Reads id, cluster id, topic id as text, topic, partition and next offset.</summary>
    public static LedgerEnd Read(DbDataReader reader) =>
        new(reader.GetInt32(0), reader.GetString(1), Guid.Parse(reader.GetString(2)), reader.GetString(3), reader.GetInt32(4), reader.GetInt64(5));
}
