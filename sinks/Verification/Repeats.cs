using System.Data.Common;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Verification;

/// <summary>
/// Finds and removes repeated rows. Within a generation, rows at one place with the same bytes are one record. Across agents a file
/// counts as read again only where all rows of the stretch that both have are equal: two files that merely begin alike are not.
/// </summary>
internal sealed class Repeats(ISqlDialect dialect, TableSide side, TableName table)
{
    /// <summary>Stands for the source of records that are of no file. Their rows are the same where their offsets are.</summary>
    private const int NoSource = 0;

    private const string Place = "source, file_offset, part, line, raw";

    public async Task<List<RepeatedRows>> StoredTwiceAsync(IEnumerable<TableSource> sources, CancellationToken cancellation)
    {
        var found = new List<RepeatedRows>();
        var known = sources.ToDictionary(s => s.Id);
        foreach (RepeatKind kind in new[] { RepeatKind.SameRecord, RepeatKind.SamePlace })
        {
            IReadOnlyList<(int Source, long Count, long From, long To)> rows = await side.ReadAsync(
                $"SELECT source, count(*), min(file_offset), max(file_offset) FROM {Repeated(kind)} GROUP BY source ORDER BY source",
                r => (Source: r.GetInt32(0), Count: r.GetInt64(1), From: r.GetInt64(2), To: r.GetInt64(3)), cancellation);
            found.AddRange(rows.Where(r => known.ContainsKey(r.Source)).Select(r => Of(kind, known[r.Source], r.Count, r.From, r.To)));
            found.AddRange(rows.Where(r => r.Source == NoSource).Select(r => new RepeatedRows(kind, NoSource, "", "", "", r.Count, r.From, r.To)));
        }
        return found;
    }

    /// <summary>Files that a later agent stored again from a place that an earlier one had stored.</summary>
    public async Task<List<RepeatedRows>> ReadAgainAsync(IEnumerable<TableSource> sources, CancellationToken cancellation)
    {
        var found = new List<RepeatedRows>();
        foreach (IGrouping<(string Host, string File, string Topic), TableSource> same in sources.GroupBy(s => (s.Host, s.File, s.Key.Topic)))
        {
            var inOrder = same.OrderBy(s => s.Id).ToList();
            for (int later = 1; later < inOrder.Count; later++)
            {
                for (int earlier = 0; earlier < later; earlier++)
                {
                    if (inOrder[earlier].Key.AgentId != inOrder[later].Key.AgentId
                        && await CompareAsync(inOrder[earlier].Id, inOrder[later], cancellation) is { } repeated)
                    {
                        found.Add(repeated);
                        break;
                    }
                }
            }
        }
        return found;
    }

    public async Task<long> RemoveAsync(IReadOnlyList<RepeatedRows> found, CancellationToken cancellation)
    {
        try
        {
            await using DbConnection connection = await dialect.ConnectAsync(cancellation);
            await using DbTransaction transaction = await dialect.BeginLongAsync(connection, cancellation);
            long removed = 0L;
            foreach (RepeatKind kind in found.Select(f => f.Kind).Where(k => k != RepeatKind.ReadAgain).Distinct().Order())
            {
                string sources = string.Join(',', found.Where(f => f.Kind == kind).Select(f => f.Source));
                removed += await RemoveAsync(
                    transaction, $"{dialect.RowName("r")} IN (SELECT name FROM {Repeated(kind)} WHERE source IN ({sources}))", isRecordLeft: kind == RepeatKind.SameRecord, cancellation);
            }
            foreach (RepeatedRows? again in found.Where(f => f.Kind == RepeatKind.ReadAgain))
            {
                removed += await RemoveAsync(transaction, $"source = {again.Source} AND file_offset BETWEEN {again.From} AND {again.To}", isRecordLeft: false, cancellation);
            }
            await transaction.CommitAsync(cancellation);
            return removed;
        }
        catch (Exception error) when (dialect.Translate(error) is { } translated)
        {
            throw translated;
        }
    }

    private static RepeatedRows Of(RepeatKind kind, TableSource source, long count, long from, long to) =>
        new(kind, source.Id, source.Host, source.File, source.Key.GenerationText, count, from, to);

    /// <summary>All but the first of the rows that are alike, as <c>(name, source, file_offset)</c>.</summary>
    private string Repeated(RepeatKind kind)
    {
        string alike = kind == RepeatKind.SameRecord ? $"log, log_offset, {Place}" : Place;
        // Once the same record's rows are down to one, what is left alike lies at other offsets.
        string others = kind == RepeatKind.SameRecord ? "" : "AND offsets > 1";
        string same = kind == RepeatKind.SameRecord ? "log, log_offset" : "source, file_offset, part";
        return $"""
            (SELECT name, coalesce(source, {NoSource}) AS source, coalesce(file_offset, log_offset) AS file_offset FROM
                (SELECT {dialect.RowName("r")} AS name, r.source, r.file_offset, r.log_offset, row_number() OVER (PARTITION BY {Qualified(alike)} ORDER BY r.log, r.log_offset) AS nth, g.offsets
                 FROM {table.Rows} r JOIN (SELECT {same}, count(DISTINCT log_offset) AS offsets FROM {table.Rows}
                     GROUP BY {same} HAVING count(*) > 1) g
                   ON {string.Join(" AND ", same.Split(", ").Select(column => $"g.{column} = r.{column}"))}) alike
             WHERE nth > 1 {others}) repeated
            """;
    }

    private static string Qualified(string columns) => string.Join(", ", columns.Split(", ").Select(c => $"r.{c}"));

    /// <summary>The rows of the stretch that two sources both have, where all of them are equal; null where one differs or is missing.</summary>
    public async Task<RepeatedRows?> CompareAsync(int earlier, TableSource later, CancellationToken cancellation)
    {
        IReadOnlyList<(long From, long To)> extents = await side.ReadAsync(
            $"SELECT min(file_offset), max(file_offset) FROM {table.Rows} WHERE source IN ({earlier}, {later.Id}) GROUP BY source",
            r => (From: r.GetInt64(0), To: r.GetInt64(1)), cancellation);
        if (extents.Count < 2)
        {
            return null;
        }
        (long from, long to) = (extents.Max(e => e.From), extents.Min(e => e.To));
        string Stretch(int source) => $"SELECT DISTINCT file_offset, part, line, raw FROM {table.Rows} WHERE source = {source} AND file_offset BETWEEN {from} AND {to}";
        (long Earlier, long Later, long Both) counts = (await side.ReadAsync($"""
            WITH a AS ({Stretch(earlier)}), b AS ({Stretch(later.Id)})
            SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), (SELECT count(*) FROM (SELECT * FROM a INTERSECT SELECT * FROM b) c)
            """, r => (Earlier: r.GetInt64(0), Later: r.GetInt64(1), Both: r.GetInt64(2)), cancellation))[0];
        return counts.Both > 0 && counts.Both == counts.Earlier && counts.Both == counts.Later
            ? Of(RepeatKind.ReadAgain, later, counts.Both, from, to) : null;
    }

    private Task<long> RemoveAsync(DbTransaction transaction, string where, bool isRecordLeft, CancellationToken cancellation) =>
        NotedRemoval.RunAsync(transaction, $"DELETE FROM {table.Rows} AS r WHERE {where} RETURNING log, log_offset", isNoted: !isRecordLeft, cancellation);
}
