using System.Text;
using LogPipeline.Files;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Files;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using LogPipeline.Testing.Files;

namespace LogPipeline.Sinks.Tests.Files;

public sealed class FileStoreTests : SinkStoreContract
{
    private readonly MemoryDisk _disk = new(TimeProvider.System);
    private MemoryFileSystem _files;
    private int _seed = 1;
    private int _changesMax = 1024;
    private readonly RecordedEvents _events = new();
    private FilesOptions _options = new() { Directory = "/out" };

    public FileStoreTests() => _files = new MemoryFileSystem(_disk);

    protected override Task<ISinkStore> OpenAsync(string parser = "combined") =>
        Task.FromResult<ISinkStore>(new FileStore("web", _options, LineParsers.Named(parser), _files, new Random(_seed++), TimeProvider.System, _events) { ChangesMax = _changesMax });

    protected override Task<IReadOnlyList<string>> StoredLinesAsync()
    {
        var committed = new List<string>();
        if (_files.FileExists("/out/manifest.json"))
        {
            foreach ((string? name, long length) in FileStore.Committed(_files, "/out")!.Lengths.Where(l => l.Value > 0))
            {
                committed.AddRange(PackedText.Read(Read("/out/" + name)[..(int)length], _options.Compress).Split('\n')[..^1]);
            }
        }
        return Task.FromResult<IReadOnlyList<string>>(committed);
    }

    private byte[] Read(string path)
    {
        using IFile file = _files.Open(path, FileOpenMode.Read);
        byte[] bytes = new byte[file.Length];
        Assert.Equal(bytes.Length, file.Read(bytes, 0));
        return bytes;
    }

    [Theory]
    [InlineData(1024, "none")]
    [InlineData(1, "none")]
    [InlineData(1024, "gzip")]
    [InlineData(1, "zstd")]
    public async Task Power_lost_at_any_call_leaves_exactly_the_flushes_that_the_manifest_counts(int changesMax, string compress)
    {
        _changesMax = changesMax;
        _options = _options with { Compress = compress };
        for (int fatal = 1; ; fatal++)
        {
            _files = new MemoryFileSystem(new MemoryDisk(TimeProvider.System));
            _files.DieAt(fatal);
            bool finished = await Death.OutlivesAsync(StoreThreeAsync);
            _files = _files.LosePower(fatal);
            await using ISinkStore store = await OpenAsync();
            await store.OpenAsync(default);
            long next = (await store.ReadLedgerAsync(default)).Select(l => l.NextOffset).SingleOrDefault();
            Assert.Equal(Enumerable.Range(0, (int)next).Select(i => $"line {i}"), await StoredLinesAsync());
            Assert.Equal(FileStore.Committed(_files, "/out")!.Lengths.Values.Sum(), DataBytes());
            if (finished)
            {
                Assert.Equal(6, next);
                Assert.True(fatal > 30, "the run was cut at each of its calls");
                return;
            }
        }
    }

    private async Task StoreThreeAsync()
    {
        await using ISinkStore store = await OpenAsync();
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log, 0)], default);
        var owner = OwnerToken.New(new Random(9));
        LedgerEntry entry = (await store.ClaimAsync(Log, owner, default))!;
        for (int offset = 0; offset < 6; offset += 2)
        {
            await FlushAsync(store, entry, offset);
        }
    }

    private static async Task FlushAsync(ISinkStore store, LedgerEntry entry, int offset)
    {
        using RowBatch rows = TestRows.Batch(offset, $"line {offset}", $"line {offset + 1}");
        await using ISinkFlush flush = await store.BeginAsync(default);
        await flush.UpdateLedgerAsync(new LedgerUpdate(entry.Id, entry.Owner, offset, offset + 2, 0), default);
        IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
        rows.Parse(store.Parser);
        await flush.CopyRowsAsync(entry.Id, rows, [sources[0].Id], default);
        await flush.CommitAsync(default);
    }

    [Theory]
    [InlineData(false, 1024)]
    [InlineData(true, 1024)]
    [InlineData(true, 0)]
    public async Task A_file_that_was_archived_stays_and_a_late_line_begins_a_new_one_wherever_power_is_lost(bool isDirectoryGone, int changesMax)
    {
        _changesMax = changesMax;
        bool isFinished = false;
        for (int fatal = 1; !isFinished; fatal++)
        {
            _files = new MemoryFileSystem(new MemoryDisk(TimeProvider.System));
            string day;
            await using (ISinkStore store = await OpenAsync())
            {
                await store.OpenAsync(default);
                await store.CreateAsync([new LedgerStart(Log, 0)], default);
                await FlushAsync(store, (await store.ClaimAsync(Log, OwnerToken.New(new Random(9)), default))!, 0);
                day = $"/out/web_log/{_files.List("/out/web_log").Single().Name}";
            }
            Archive(day, isDirectoryGone ? "/archive" : day);
            _files.DieAt(fatal);
            isFinished = await Death.OutlivesAsync(async () =>
            {
                await using ISinkStore store = await OpenAsync();
                await store.OpenAsync(default);
                await FlushAsync(store, (await store.ReadLedgerAsync(default)).Single(), 2);
            });
            _files = _files.LosePower(fatal);
            await using ISinkStore found = await OpenAsync();
            await found.OpenAsync(default);
            long next = (await found.ReadLedgerAsync(default)).Single().NextOffset;
            Assert.Equal("line 0\nline 1\n", Encoding.UTF8.GetString(Read(isDirectoryGone ? "/archive/0.log.gz" : $"{day}/0.log.gz")));
            Assert.Equal(next == 2 ? "" : "line 2\nline 3\n", _files.FileExists($"{day}/0.log") ? Encoding.UTF8.GetString(Read($"{day}/0.log")) : "");
            Assert.True(next == 4 || !isFinished);
        }
    }

    [Theory]
    [InlineData(0, "line 2\nline 3\n")]
    [InlineData(7, "line 0\nline 2\nline 3\n")]
    [InlineData(9, "line 0\nli\nline 2\nline 3\n")]
    public async Task A_file_that_somebody_cut_is_gone_on_with_where_it_ends_wherever_power_is_lost(int left, string then)
    {
        foreach (bool isOpenMeanwhile in new[] { false, true })
        {
            bool isFinished = false;
            for (int fatal = 1; !isFinished; fatal++)
            {
                _files = new MemoryFileSystem(new MemoryDisk(TimeProvider.System));
                _events.All.Clear();
                ISinkStore store = await OpenAsync();
                await store.OpenAsync(default);
                await store.CreateAsync([new LedgerStart(Log, 0)], default);
                await FlushAsync(store, (await store.ClaimAsync(Log, OwnerToken.New(new Random(9)), default))!, 0);
                string path = $"/out/web_log/{_files.List("/out/web_log").Single().Name}/0.log";
                if (!isOpenMeanwhile)
                {
                    await store.DisposeAsync();
                }
                using (IFile file = _files.Open(path, FileOpenMode.ReadWrite))
                {
                    file.SetLength(left);
                    file.Flush();
                }
                _files.DieAt(fatal);
                isFinished = await Death.OutlivesAsync(async () =>
                {
                    if (!isOpenMeanwhile)
                    {
                        store = await OpenAsync();
                        await store.OpenAsync(default);
                    }
                    await FlushAsync(store, (await store.ReadLedgerAsync(default)).Single(), 2);
                });
                _files = _files.LosePower(fatal);
                await using ISinkStore found = await OpenAsync();
                await found.OpenAsync(default);
                long next = (await found.ReadLedgerAsync(default)).Single().NextOffset;
                Assert.Equal(next == 2 ? "line 0\nline 1\n"[..left] : then, Encoding.UTF8.GetString(Read(path)));
                Assert.True(next == 4 || !isFinished);
            }
            OutputCut told = Assert.IsType<OutputCut>(Assert.Single(_events.All));
            Assert.Equal((14, left), (told.Committed, told.Length));
        }
    }

    [Fact]
    public async Task A_manifest_that_somebody_removed_is_written_again()
    {
        _files = new MemoryFileSystem(new MemoryDisk(TimeProvider.System));
        await using (ISinkStore store = await OpenAsync())
        {
            await store.OpenAsync(default);
            await store.CreateAsync([new LedgerStart(Log, 0)], default);
            LedgerEntry entry = (await store.ClaimAsync(Log, new OwnerToken(Guid.NewGuid()), default))!;
            await FlushAsync(store, entry, 0);
            _files.Delete($"/out/{Manifest.FileName}");
            await FlushAsync(store, entry, 2);
        }
        await using ISinkStore again = await OpenAsync();
        await again.OpenAsync(default);
        Assert.Equal(4, (await again.ReadLedgerAsync(default))[0].NextOffset);
        Assert.Equal(Enumerable.Range(0, 4).Select(i => $"line {i}"), await StoredLinesAsync());
    }

    [Fact]
    public async Task A_directory_that_is_gone_is_no_new_one()
    {
        _files = new MemoryFileSystem(new MemoryDisk(TimeProvider.System));
        await using ISinkStore store = await OpenAsync();
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log, 0)], default);
        LedgerEntry entry = (await store.ClaimAsync(Log, new OwnerToken(Guid.NewGuid()), default))!;
        await FlushAsync(store, entry, 0);
        _files.Delete($"/out/{Manifest.FileName}");
        _files.Delete($"/out/{Manifest.ChangesFileName}");
        await using (await store.BeginAsync(default))
        {
            // Given up, as where the disk fails: the next one begins from the disk.
        }
        StoreRefusedException gone = await Assert.ThrowsAsync<StoreRefusedException>(async () => await store.ReadLedgerAsync(default));
        Assert.Contains("/out: its manifest.json", gone.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_compressed_file_that_somebody_cut_is_put_aside_each_time()
    {
        _options = _options with { Compress = "gzip" };
        await using ISinkStore store = await OpenAsync();
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log, 0)], default);
        LedgerEntry entry = (await store.ClaimAsync(Log, OwnerToken.New(new Random(9)), default))!;
        await FlushAsync(store, entry, 0);
        string path = $"/out/web_log/{_files.List("/out/web_log").Single().Name}/0.log.gz";
        await CutAsync(5);
        await CutAsync(7);

        Assert.Equal("line 4\nline 5\n", PackedText.Read(Read(path), "gzip"));
        Assert.Equal((5, 7), (_files.Stat(path + ".cut")!.Value.Length, _files.Stat(path + ".cut2")!.Value.Length));
        Assert.Equal([0, 0], _events.All.Cast<OutputCut>().Select(cut => cut.Length));

        async Task CutAsync(long length)
        {
            using (IFile file = _files.Open(path, FileOpenMode.ReadWrite))
            {
                file.SetLength(length);
            }
            LedgerEntry now = (await store.ReadLedgerAsync(default)).Single();
            await FlushAsync(store, now, (int)now.NextOffset);
        }
    }

    [Fact]
    public async Task A_file_that_is_cut_while_it_is_written_gets_no_hole()
    {
        await using ISinkStore store = await OpenAsync();
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log, 0)], default);
        LedgerEntry entry = (await store.ClaimAsync(Log, OwnerToken.New(new Random(9)), default))!;
        await FlushAsync(store, entry, 0);
        string path = $"/out/web_log/{_files.List("/out/web_log").Single().Name}/0.log";
        using (RowBatch rows = TestRows.Batch(2, "line 2", "line 3"))
        await using (ISinkFlush flush = await store.BeginAsync(default))
        {
            rows.Parse(store.Parser);
            await flush.UpdateLedgerAsync(new LedgerUpdate(entry.Id, entry.Owner, 2, 4, 0), default);
            IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
            await flush.CopyRowsAsync(entry.Id, rows, [sources[0].Id], default);
            using (IFile file = _files.Open(path, FileOpenMode.ReadWrite))
            {
                file.SetLength(0);
            }
            await Assert.ThrowsAsync<StoreUnavailableException>(async () => await flush.CommitAsync(default));
        }

        await FlushAsync(store, (await store.ReadLedgerAsync(default)).Single(), 2);

        Assert.Equal("line 2\nline 3\n", Encoding.UTF8.GetString(Read(path)));
    }

    private void Archive(string day, string to)
    {
        _files.CreateDirectory(to);
        _files.Rename($"{day}/0.log", $"{to}/0.log.gz");
        _files.FlushDirectory(to);
        if (to == day)
        {
            return;
        }
        _files.DeleteDirectory(day);
        _files.FlushDirectory("/out/web_log");
    }

    [Fact]
    public async Task What_a_flush_writes_of_the_ledger_does_not_grow_with_days_and_sources_gone_by()
    {
        const int days = 2500;
        long[] written = new long[days];
        int day = 0;
        _files.Before = call =>
        {
            if (call.Operation == FileOperation.Write && call.Path.StartsWith("/out/manifest", StringComparison.Ordinal))
            {
                written[day] += call.Length;
            }
        };
        await using (ISinkStore store = await OpenAsync())
        {
            await store.OpenAsync(default);
            await store.CreateAsync([new LedgerStart(Log, 0)], default);
            LedgerEntry entry = (await store.ClaimAsync(Log, OwnerToken.New(new Random(9)), default))!;
            for (; day < days; day++)
            {
                await FlushDayAsync(store, entry, day);
            }
        }
        Assert.True(written.Order().ElementAt(days / 2) < 200_000 && written[^100..].Order().ElementAt(50) < 200_000, $"{written[days / 2]} bytes");
        bool isCut = false;
        _files.Before = call => isCut |= call.Operation is FileOperation.SetLength or FileOperation.Delete;
        await using ISinkStore again = await OpenAsync();
        Assert.Equal(days, Assert.Single(await again.ReadLedgerAsync(default)).NextOffset);
        Assert.Equal(days, (await StoredLinesAsync()).Count);
        Assert.False(isCut);
        await using ISinkFlush flush = await again.BeginAsync(default);
        Assert.Equal(1, Assert.Single(await flush.ReadSourcesAsync([TestRows.Source(1)], default)).Version);
    }

    /// <summary>One line of a file and a day of its own.</summary>
    private static async Task FlushDayAsync(ISinkStore store, LedgerEntry entry, int day)
    {
        using var rows = new RowBatch();
        rows.Sources.Add(TestRows.Source((ulong)day + 1));
        ref Row row = ref rows.Add("line"u8);
        (row.Offset, row.Timestamp, row.CoveredEnd) = (day, day * 86_400_000L, 5);
        await using ISinkFlush flush = await store.BeginAsync(default);
        await flush.UpdateLedgerAsync(new LedgerUpdate(entry.Id, entry.Owner, day, day + 1, 0), default);
        IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
        sources[0].Stored.Add(0, 5);
        rows.Parse(store.Parser);
        await flush.CopyRowsAsync(entry.Id, rows, [sources[0].Id], default);
        await flush.UpdateSourcesAsync(sources, default);
        await flush.CommitAsync(default);
    }

    [Fact]
    public async Task Changes_of_another_manifest_are_refused()
    {
        await using (ISinkStore store = await OpenAsync())
        {
            await store.OpenAsync(default);
            await store.CreateAsync([new LedgerStart(Log, 0)], default);
        }
        _files.Delete("/out/manifest.json");
        await using ISinkStore again = await OpenAsync();
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await again.OpenAsync(default));
        Assert.Contains("Restore both", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Bytes of all data files, committed or not.</summary>
    private long DataBytes() => _files.List("/out/web_log").Sum(day => _files.List($"/out/web_log/{day.Name}").Sum(f => _files.Stat($"/out/web_log/{day.Name}/{f.Name}")!.Value.Length));

    [Theory]
    [InlineData("csv", "web_log/2023-11-14/0.v2.csv")]
    [InlineData("ndjson", "web_log/2023-11-14/0.ndjson")]
    public async Task A_changed_parser_begins_files_anew_that_begin_with_their_columns_names(string format, string second)
    {
        _options = _options with { Format = format };
        foreach ((string parser, int offset) in new[] { ("common", 0), ("logfmt", 1) })
        {
            await using ISinkStore store = await OpenAsync(parser);
            await store.OpenAsync(default);
            await store.CreateAsync([new LedgerStart(Log, 0)], default);
            LedgerEntry entry = (await store.ClaimAsync(Log, OwnerToken.New(new Random(offset)), default))!;
            Assert.Equal(offset, entry.NextOffset);
            using RowBatch rows = TestRows.Batch(offset, "level=warn msg=hot");
            rows.Parse(store.Parser);
            await using ISinkFlush flush = await store.BeginAsync(default);
            await flush.UpdateLedgerAsync(new LedgerUpdate(entry.Id, entry.Owner, offset, offset + 1, 0), default);
            await flush.CopyRowsAsync(entry.Id, rows, [1], default);
            await flush.CommitAsync(default);
        }
        Manifest manifest = FileStore.Committed(_files, "/out")!;
        Assert.Equal(["common", "logfmt"], manifest.Versions.Select(version => version.Parser));
        Assert.Equal(second, manifest.Lengths.Keys.Last());
        string[] lines = Encoding.UTF8.GetString(Read("/out/" + second)).Split('\n');
        Assert.EndsWith(format == "csv" ? ",parsed,level,message,fields" : "\"parsed\":false}", lines[0], StringComparison.Ordinal);
        Assert.Contains("warn", lines[1], StringComparison.Ordinal);
        Assert.Single(_events.All.OfType<TableChanged>());
    }
}
