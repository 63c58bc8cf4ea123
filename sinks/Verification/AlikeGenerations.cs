using System.IO.Hashing;
using System.Runtime.InteropServices;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Verification;

/// <summary>
/// Generations of one path, read by one agent, that hold the same lines. The rows alone do not tell whether the agent took one file for two, or
/// whether an application wrote the same again (a banner at each start): so they are told and never removed.
/// </summary>
internal sealed class AlikeGenerations(TableSide side, Repeats repeats, TableName table)
{
    /// <summary>Less than this in common is what many applications write at each start.</summary>
    private const long CommonBytesMin = 1024;

    public async Task<List<RepeatedRows>> FindAsync(IEnumerable<TableSource> sources, CancellationToken cancellation)
    {
        var found = new List<RepeatedRows>();
        List<List<TableSource>> paths =
            [.. sources.GroupBy(s => (s.Host, s.File, s.Key.Topic, s.Key.AgentId)).Where(path => path.Skip(1).Any()).Select(path => path.OrderBy(s => s.Id).ToList())];
        if (paths.Count == 0)
        {
            return found;
        }
        Dictionary<int, ulong> heads = await HeadsAsync(cancellation);
        foreach (List<TableSource> path in paths)
        {
            // Nearly always the first line's time differs, and no rows are compared.
            var earlier = new Dictionary<ulong, TableSource>();
            foreach (TableSource later in path)
            {
                if (!heads.TryGetValue(later.Id, out ulong head))
                {
                    continue;
                }
                if (earlier.TryGetValue(head, out TableSource? first)
                    && await repeats.CompareAsync(first.Id, later, cancellation) is { } alike && alike.To - alike.From >= CommonBytesMin)
                {
                    found.Add(alike);
                }
                earlier[head] = later;
            }
        }
        return found;
    }

    /// <summary>A hash of each generation's first line.</summary>
    private async Task<Dictionary<int, ulong>> HeadsAsync(CancellationToken cancellation)
    {
        IReadOnlyList<(int Source, ulong Hash)> heads = await side.ReadAsync(
            $"SELECT source, line FROM {table.Rows} WHERE file_offset = 0 AND part <= 1 AND source IS NOT NULL",
            r => (r.GetInt32(0), XxHash3.HashToUInt64(MemoryMarshal.AsBytes(r.GetString(1).AsSpan()))), cancellation);
        return heads.DistinctBy(head => head.Source).ToDictionary(head => head.Source, head => head.Hash);
    }
}
