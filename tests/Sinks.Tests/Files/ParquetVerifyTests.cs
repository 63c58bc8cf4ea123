using LogPipeline.Client.Connections;
using LogPipeline.Files;
using LogPipeline.Sinks.Files;
using LogPipeline.Sinks.Verification;
using LogPipeline.Testing.Files;
using LogPipeline.Testing.Time;

namespace LogPipeline.Sinks.Tests.Files;

/// <summary>What verify says of rows on their way to Parquet files, and of parts that people cut.</summary>
public sealed class ParquetVerifyTests : IAsyncLifetime
{
    private const int Lines = 40;

    private readonly MemoryDisk _disk = new(TimeProvider.System);
    private readonly ManualTime _time = new();
    private SinkScene _scene = null!;
    private SinkOptions _options = null!;

    public async Task InitializeAsync()
    {
        _scene = await SinkScene.StartAsync();
        _options = _scene.Files("parquet", "");
        await _scene.SendAsync(0, Enumerable.Range(0, Lines).Select(i => $"line {i}"));
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        await using ISinkStore store = SinkStores.Create(_options, new MemoryFileSystem(_disk), TimeProvider.System, new Random(2));
        Task running = new SinkWorker(_options, new TcpConnector(), store, new SinkEnvironment { Random = new Random(3) }).RunAsync(stop.Token);
        while ((await store.ReadLedgerAsync(default)).Sum(log => log.NextOffset) < Lines)
        {
            await Task.WhenAny(running, Task.Delay(20, stop.Token));
            Assert.False(running.IsCompleted);
        }
        await stop.CancelAsync();
        await running;
    }

    public async Task DisposeAsync() => await _scene.DisposeAsync();

    [Fact]
    public async Task Rows_that_the_sink_publishes_meanwhile_are_compared()
    {
        await using ISinkStore store = await OpenAsync();
        await PublishAsync(store);
        _time.Advance(TimeSpan.FromHours(1));

        var files = new MemoryFileSystem(_disk);
        bool isPublished = false;
        files.Before = call =>
        {
            if (!isPublished && call.Operation == FileOperation.Open && call.Path.Contains("/.staging/", StringComparison.Ordinal))
            {
                isPublished = true;
                PublishAsync(store).GetAwaiter().GetResult();
            }
        };
        VerifyReport report = await VerifyAsync(files);
        Assert.True(isPublished);
        Assert.Empty(report.Findings);
        Assert.Equal(Lines, report.RowsCompared);
    }

    [Fact]
    public async Task Rows_that_were_lost_on_their_way_are_missing_and_no_file_is_damaged()
    {
        var files = new MemoryFileSystem(_disk);
        Manifest manifest = FileStore.Committed(files, _scene.Output)!;
        string staged = manifest.Lengths.Keys.Single();
        files.Delete(Path.Combine(_scene.Output, staged));
        manifest.SetLength(staged, 0); // as it is once later rows of the file were published
        AtomicFile.Replace(files, Path.Combine(_scene.Output, Manifest.FileName), manifest.Folded().Encode());

        VerifyReport report = await VerifyAsync(files);
        Assert.Equal(Lines, report.Findings.Count);
        Assert.All(report.Findings, finding => Assert.Equal(FindingSide.OutputMissing, finding.Side));
    }

    [Fact]
    public async Task A_part_that_was_cut_is_a_note_also_when_the_sink_was_started_again()
    {
        await using (ISinkStore store = await OpenAsync())
        {
            await PublishAsync(store);
            _time.Advance(TimeSpan.FromHours(1));
            await PublishAsync(store);
        }
        var files = new MemoryFileSystem(_disk);
        string part = FileStore.Committed(files, _scene.Output)!.Parts.Keys.Single();
        using (IFile file = files.Open(Path.Combine(_scene.Output, part), FileOpenMode.ReadWrite))
        {
            file.SetLength(100);
        }
        await (await OpenAsync()).DisposeAsync();

        VerifyReport report = await VerifyAsync(files);
        Assert.Empty(report.Findings);
        Assert.Contains(report.Notes, note => note.Contains($" {Lines} ", StringComparison.Ordinal));
    }

    private async Task<ISinkStore> OpenAsync()
    {
        ISinkStore store = SinkStores.Create(_options, new MemoryFileSystem(_disk), _time, new Random(6));
        await store.OpenAsync(default);
        return store;
    }

    private static async Task PublishAsync(ISinkStore store) => await Assert.Single(store.Chores).DoAsync(default);

    private Task<VerifyReport> VerifyAsync(MemoryFileSystem files) => new Verifier(_options, new TcpConnector(), files, TimeProvider.System, new Random(4)).RunAsync(null, default);
}
