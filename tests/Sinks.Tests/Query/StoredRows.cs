using LogPipeline.Files;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Tests.Query;

/// <summary>Puts lines into a sink's table as a sink does, without a topic.</summary>
internal static class StoredRows
{
    private static readonly LogIdentity Log = new("web", "cluster", Guid.Empty, "web_log", 0);

    public static SinkOptions Sqlite(string directory) =>
        new() { Name = "web", Topics = ["web_log"], Parser = "combined", Sqlite = new SqliteOptions { File = Path.Combine(directory, "logs.db") } };

    public static SinkOptions Postgres(string connection) =>
        new() { Name = "web", Topics = ["web_log"], Parser = "combined", Postgres = new PostgresOptions { Connection = connection } };

    /// <summary>A line of an access log.</summary>
    public static string Line(DateTimeOffset time, string path, int status = 200, string agent = "curl/8.4.0") =>
        $"10.0.0.{status % 250} - - [{time:dd/MMM/yyyy:HH:mm:ss} +0000] \"GET {path} HTTP/1.1\" {status} {path.Length} \"-\" \"{agent}\"";

    public static async Task StoreAsync(SinkOptions options, IReadOnlyList<string> lines)
    {
        await using ISinkStore store = SinkStores.Create(options, new OsFileSystem(), TimeProvider.System, new Random(1));
        await StoreAsync(store, lines);
    }

    public static async Task StoreAsync(ISinkStore store, IReadOnlyList<string> lines)
    {
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log, 0)], default);
        var owner = new OwnerToken(new Guid(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
        LedgerEntry entry = (await store.ClaimAsync(Log, owner, default))!;
        using RowBatch rows = TestRows.Batch(entry.NextOffset, [.. lines]);
        await using ISinkFlush flush = await store.BeginAsync(default);
        IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
        rows.Parse(store.Parser);
        await flush.CopyRowsAsync(entry.Id, rows, [.. sources.Select(s => s.Id)], default);
        Assert.Equal(1, await flush.UpdateLedgerAsync(new LedgerUpdate(entry.Id, owner, entry.NextOffset, entry.NextOffset + lines.Count, 0), default));
        await flush.CommitAsync(default);
    }
}
