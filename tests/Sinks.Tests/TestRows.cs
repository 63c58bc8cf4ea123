using System.Text;
using LogPipeline.Contract;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Tests;

/// <summary>Batches of rows for tests that need no topic.</summary>
internal static class TestRows
{
    public static readonly Guid Agent = new("11111111-2222-3333-4444-555555555555");

    public static SourceKey Key(ulong generation, string topic = "web_log") => new(Agent, generation, topic);

    public static Source Source(ulong generation, string topic = "web_log") => new(Key(generation, topic), "web-1", "/var/log/nginx/access.log");

    public static RowBatch Batch(long firstOffset, params string[] lines) => Batch(firstOffset, lines.Select(l => Encoding.UTF8.GetBytes(l)).ToArray());

    /// <summary>Lines of one file, one after another from its start.</summary>
    public static RowBatch Batch(long firstOffset, params byte[][] lines)
    {
        var batch = new RowBatch();
        batch.Sources.Add(Source(7));
        long position = 0L;
        foreach (byte[] line in lines)
        {
            ref Row row = ref batch.Add(line);
            row.Offset = firstOffset++;
            row.Timestamp = 1_700_000_000_000;
            row.CoveredBegin = row.LineBegin = position;
            row.CoveredEnd = position += line.Length + 1;
            row.Flags = PositionFlags.None;
        }
        return batch;
    }

    public const string Combined =
        """40.85.118.17 - alice [21/Nov/2026:00:00:00 +0100] "GET /orders/api?n=0 HTTP/1.1" 200 28646 "https://shop.example.com/" "Mozilla/5.0 (X11)" """;
}
