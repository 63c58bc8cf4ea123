using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Tests;

/// <summary>What every store must do: run against PostgreSQL, SQLite and files alike.</summary>
public abstract class SinkStoreContract
{
    protected static readonly LogIdentity Log = new("web", "cluster-1", new Guid("aaaaaaaa-0000-0000-0000-000000000001"), "web_log", 0);

    /// <summary>A store on the test's own place; called again it opens the same place anew.</summary>
    protected abstract Task<ISinkStore> OpenAsync(string parser = "combined");

    /// <summary>The lines stored, in order.</summary>
    protected abstract Task<IReadOnlyList<string>> StoredLinesAsync();

    private static OwnerToken Owner(byte n) => new(new Guid(n, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));

    private static async Task<LedgerEntry> StartAsync(ISinkStore store, OwnerToken owner, long start = 0)
    {
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log, start)], default);
        return (await store.ClaimAsync(Log, owner, default))!;
    }

    private static async Task<(int Ledger, int Sources)> FlushAsync(
        ISinkStore store, LedgerEntry entry, OwnerToken owner, RowBatch rows, long next, bool commit = true)
    {
        await using ISinkFlush flush = await store.BeginAsync(default);
        int ledger = await flush.UpdateLedgerAsync(new LedgerUpdate(entry.Id, owner, entry.NextOffset, next, 3), default);
        IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
        foreach (Row row in rows.Rows)
        {
            sources[row.Source].Stored.Add(row.CoveredBegin, row.CoveredEnd);
        }
        rows.Parse(store.Parser);
        await flush.CopyRowsAsync(entry.Id, rows, [.. sources.Select(s => s.Id)], default);
        int updated = await flush.UpdateSourcesAsync(sources, default);
        if (commit && ledger == 1 && updated == sources.Count)
        {
            await flush.CommitAsync(default);
        }
        else
        {
            await flush.RollbackAsync(default);
        }
        return (ledger, updated);
    }

    [Fact]
    public async Task A_new_log_starts_where_it_was_created_and_creating_again_changes_nothing()
    {
        await using ISinkStore store = await OpenAsync();
        LedgerEntry entry = await StartAsync(store, Owner(1), start: 42);
        Assert.Equal(42, entry.NextOffset);
        Assert.Equal(-1, entry.LeaderEpoch);
        await store.CreateAsync([new LedgerStart(Log, 7)], default);
        Assert.Equal(42, (await store.ClaimAsync(Log, Owner(2), default))!.NextOffset);
        Assert.Null(await store.ClaimAsync(Log with { Partition = 9 }, Owner(2), default));
    }

    [Fact]
    public async Task Rows_ledger_and_ranges_move_together()
    {
        await using ISinkStore store = await OpenAsync();
        LedgerEntry entry = await StartAsync(store, Owner(1));
        using RowBatch rows = TestRows.Batch(0, "one", "two", "three");
        Assert.Equal((1, 1), await FlushAsync(store, entry, Owner(1), rows, 3));
        Assert.Equal(["one", "two", "three"], await StoredLinesAsync());
        LedgerEntry after = Assert.Single(await store.ReadLedgerAsync(default));
        Assert.Equal((3L, 3), (after.NextOffset, after.LeaderEpoch));
        await using ISinkFlush flush = await store.BeginAsync(default);
        SourceState state = Assert.Single(await flush.ReadSourcesAsync([TestRows.Source(7)], default));
        Assert.Equal([new FileRange(0, 14)], state.Stored.Ranges);
        Assert.Equal(1, state.Version);
    }

    [Fact]
    public async Task A_rolled_back_flush_leaves_nothing()
    {
        await using ISinkStore store = await OpenAsync();
        LedgerEntry entry = await StartAsync(store, Owner(1));
        using RowBatch rows = TestRows.Batch(0, "one");
        await FlushAsync(store, entry, Owner(1), rows, 1, commit: false);
        Assert.Empty(await StoredLinesAsync());
        Assert.Equal(0, Assert.Single(await store.ReadLedgerAsync(default)).NextOffset);
        Assert.Equal((1, 1), await FlushAsync(store, entry, Owner(1), rows, 1));
        Assert.Equal(["one"], await StoredLinesAsync());
    }

    [Fact]
    public async Task A_flush_disposed_without_commit_leaves_nothing()
    {
        await using ISinkStore store = await OpenAsync();
        LedgerEntry entry = await StartAsync(store, Owner(1));
        using RowBatch rows = TestRows.Batch(0, "one");
        await using (ISinkFlush flush = await store.BeginAsync(default))
        {
            IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
            rows.Parse(store.Parser);
            await flush.CopyRowsAsync(entry.Id, rows, [sources[0].Id], default);
        }
        Assert.Empty(await StoredLinesAsync());
    }

    [Fact]
    public async Task An_owner_that_was_replaced_changes_no_row()
    {
        await using ISinkStore store = await OpenAsync();
        LedgerEntry entry = await StartAsync(store, Owner(1));
        await store.ClaimAsync(Log, Owner(2), default);
        using RowBatch rows = TestRows.Batch(0, "zombie");
        Assert.Equal(0, (await FlushAsync(store, entry, Owner(1), rows, 1)).Ledger);
        Assert.Empty(await StoredLinesAsync());
    }

    [Fact]
    public async Task An_unexpected_next_offset_changes_no_row()
    {
        await using ISinkStore store = await OpenAsync();
        LedgerEntry entry = await StartAsync(store, Owner(1));
        using RowBatch rows = TestRows.Batch(0, "one");
        await FlushAsync(store, entry, Owner(1), rows, 1);
        Assert.Equal(0, (await FlushAsync(store, entry, Owner(1), rows, 1)).Ledger);
        Assert.Equal(["one"], await StoredLinesAsync());
    }

    [Fact]
    public async Task A_source_whose_version_moved_is_not_updated()
    {
        await using ISinkStore store = await OpenAsync();
        LedgerEntry entry = await StartAsync(store, Owner(1));
        using RowBatch rows = TestRows.Batch(0, "one");
        await FlushAsync(store, entry, Owner(1), rows, 1);
        await using ISinkFlush flush = await store.BeginAsync(default);
        SourceState state = (await flush.ReadSourcesAsync([TestRows.Source(7)], default))[0];
        var stale = new SourceState(state.Id, state.Source, state.Version - 1, state.Stored);
        Assert.Equal(0, await flush.UpdateSourcesAsync([stale], default));
    }

    [Fact]
    public async Task What_was_committed_is_there_after_opening_again()
    {
        Guid ledger;
        await using (ISinkStore store = await OpenAsync())
        {
            ledger = await store.OpenAsync(default);
            LedgerEntry entry = await StartAsync(store, Owner(1));
            using RowBatch rows = TestRows.Batch(0, "one", "two");
            await FlushAsync(store, entry, Owner(1), rows, 2);
        }
        await using ISinkStore again = await OpenAsync();
        Assert.Equal(ledger, await again.OpenAsync(default));
        Assert.Equal(2, (await again.ClaimAsync(Log, Owner(3), default))!.NextOffset);
        Assert.Equal(["one", "two"], await StoredLinesAsync());
    }

    [Fact]
    public async Task Known_rows_are_left_out()
    {
        await using ISinkStore store = await OpenAsync();
        LedgerEntry entry = await StartAsync(store, Owner(1));
        using RowBatch rows = TestRows.Batch(0, "one", "two", "three", "");
        rows.Rows[1].State = RowState.Known;
        await FlushAsync(store, entry, Owner(1), rows, 4);
        Assert.Equal(["one", "three", ""], await StoredLinesAsync());
    }

    [Fact]
    public async Task Many_sources_and_ranges_survive()
    {
        await using ISinkStore store = await OpenAsync();
        await StartAsync(store, Owner(1));
        var sources = Enumerable.Range(1, 500).Select(i => TestRows.Source((ulong)i << 48)).OrderBy(s => s.Key).ToList();
        await using (ISinkFlush flush = await store.BeginAsync(default))
        {
            IReadOnlyList<SourceState> states = await flush.ReadSourcesAsync(sources, default);
            Assert.Equal(500, states.Select(s => s.Id).Distinct().Count());
            foreach (SourceState state in states)
            {
                state.Stored.Add(0, 10);
                state.Stored.Add(20, 30);
            }
            Assert.Equal(500, await flush.UpdateSourcesAsync(states, default));
            await flush.CommitAsync(default);
        }
        await using ISinkFlush second = await store.BeginAsync(default);
        foreach (SourceState state in await second.ReadSourcesAsync(sources, default))
        {
            Assert.Equal([new FileRange(0, 10), new FileRange(20, 30)], state.Stored.Ranges);
        }
    }

    [Fact]
    public async Task A_changed_parser_goes_on_where_the_earlier_one_was()
    {
        await using (ISinkStore store = await OpenAsync())
        {
            LedgerEntry entry = await StartAsync(store, Owner(1));
            using RowBatch rows = TestRows.Batch(0, "one");
            await FlushAsync(store, entry, Owner(1), rows, 1);
        }
        await using ISinkStore other = await OpenAsync("logfmt");
        await other.OpenAsync(default);
        LedgerEntry claimed = (await other.ClaimAsync(Log, Owner(2), default))!;
        Assert.Equal(1, claimed.NextOffset);
        using RowBatch more = TestRows.Batch(1, "level=warn");
        Assert.Equal((1, 1), await FlushAsync(other, claimed, Owner(2), more, 2));
        Assert.Equal(["one", "level=warn"], await StoredLinesAsync());
    }
}
