using System.Text;
using LogPipeline.Files;
using LogPipeline.Sinks.Files;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using LogPipeline.Testing.Files;

namespace LogPipeline.Sinks.Tests.Files;

/// <summary>A file that somebody moved away without a sync: a power cut may bring it back under its name.</summary>
public sealed class MovedFileTests
{
    private static readonly LogIdentity Log = new("web", "cluster", new Guid(1, 2, 3, [4, 5, 6, 7, 8, 9, 10, 11]), "web_log", 0);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task It_loses_nothing_wherever_power_is_lost(int seed)
    {
        bool isFinished = false;
        for (int fatal = 1; !isFinished; fatal++)
        {
            var files = new MemoryFileSystem(new MemoryDisk(TimeProvider.System));
            await FlushAsync(files, 0);
            files.Rename("/out/d/log.log", "/out/d/log.log.1");
            files.DieAt(fatal);
            isFinished = await Death.OutlivesAsync(() => FlushAsync(files, 2));
            files = files.LosePower(seed);
            await using FileStore found = Open(files);
            await found.OpenAsync(default);
            long next = (await found.ReadLedgerAsync(default)).Single().NextOffset;
            IEnumerable<string> lines = files.List("/out/d").SelectMany(file => Encoding.UTF8.GetString(AtomicFile.ReadAll(files, $"/out/d/{file.Name}")!).Split('\n', StringSplitOptions.RemoveEmptyEntries));
            Assert.Equal(Enumerable.Range(0, (int)next).Select(i => $"line {i}"), lines.Order(StringComparer.Ordinal));
        }
    }

    private static FileStore Open(MemoryFileSystem files) => new(
        "web", new FilesOptions { Directory = "/out", Path = "d/log" }, new NoParser(), files, new Random(1), TimeProvider.System, new Sinks.Events.SilentSinkEvents());

    private static async Task FlushAsync(MemoryFileSystem files, int offset)
    {
        await using FileStore store = Open(files);
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log, 0)], default);
        LedgerEntry entry = (await store.ClaimAsync(Log, OwnerToken.New(new Random(9)), default))!;
        using RowBatch rows = TestRows.Batch(offset, $"line {offset}", $"line {offset + 1}");
        rows.Parse(store.Parser);
        await using ISinkFlush flush = await store.BeginAsync(default);
        await flush.UpdateLedgerAsync(new LedgerUpdate(entry.Id, entry.Owner, offset, offset + 2, 0), default);
        await flush.CopyRowsAsync(entry.Id, rows, [1], default);
        await flush.CommitAsync(default);
    }
}
