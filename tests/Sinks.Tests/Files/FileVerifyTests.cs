using LogPipeline.Client.Connections;
using LogPipeline.Contract;
using LogPipeline.Files;
using LogPipeline.Sinks.Files;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Verification;
using LogPipeline.Testing.Files;

namespace LogPipeline.Sinks.Tests.Files;

/// <summary>What verify says of the files of a file sink, and of what people do to them.</summary>
public sealed class FileVerifyTests : IAsyncLifetime
{
    private SinkScene _scene = null!;

    public async Task InitializeAsync() => _scene = await SinkScene.StartAsync();

    public async Task DisposeAsync() => await _scene.DisposeAsync();

    [Theory]
    [InlineData("raw", "none", "{topic}/{partition}")]
    [InlineData("raw", "none", "all")]
    [InlineData("ndjson", "gzip", "all")]
    [InlineData("ndjson", "none", "{topic}/{date}/{hour}")]
    [InlineData("csv", "zstd", "{topic}/{host}/{partition}")]
    [InlineData("csv", "none", "{topic}/{partition}")]
    [InlineData("raw", "zstd", "{topic}")]
    [InlineData("parquet", "zstd", "{topic}/{date}")]
    public async Task Every_format_passes(string format, string compress, string path)
    {
        SinkOptions options = _scene.Files(format, compress, path);
        await SendAsync(0, 300);
        await SendAsync(1, 200);
        await _scene.SendFenceAsync(0);
        await _scene.RunFilesAsync(options);
        await _scene.SendAsync(0, ["a line\nof two", "\"quoted\", so", "", "\u2400 café"]);
        await _scene.SendAsync(0, "line 0-0", 0, 9, PositionFlags.Again);
        await _scene.RunFilesAsync(options);
        VerifyReport report = await VerifyAsync(options);
        Assert.Empty(report.Findings);
        Assert.Empty(report.Notes);
        Assert.All(report.Outputs, output => Assert.True(output.IsSame));
        Assert.Equal(report.RowsCompared, report.Outputs.Sum(output => output.TopicLines));
        Assert.InRange(report.RowsCompared, 504, 505);
    }

    [Theory]
    [InlineData("raw", "none")]
    [InlineData("csv", "none")]
    [InlineData("ndjson", "gzip")]
    [InlineData("raw", "zstd")]
    public async Task What_is_done_to_a_line_is_found_with_its_place(string format, string compress)
    {
        SinkOptions options = _scene.Files(format, compress);
        await SendAsync(0, 100);
        await _scene.RunFilesAsync(options);
        string path = OutputFiles().Single();
        int header = format == "csv" ? 1 : 0;
        byte[] whole = File.ReadAllBytes(path);

        Edit(path, compress, lines => lines.RemoveAt(40 + header), isByPerson: compress == "none");
        Finding missing = Assert.Single((await VerifyAsync(options)).Findings);
        Assert.Equal((FindingSide.OutputMissing, "web_log", 0, 40L), (missing.Side, missing.Topic, missing.Partition, missing.LogOffset));
        Assert.Contains($"(web-1:/var/log/access.log at byte {missing.FileOffset}) is missing in {path}", missing.Text, StringComparison.Ordinal);

        File.WriteAllBytes(path, whole);
        Edit(path, compress, lines => lines[40 + header] = lines[40 + header].Replace("line 0-40", "lime 0-40", StringComparison.Ordinal));
        Finding other = Assert.Single((await VerifyAsync(options)).Findings);
        Assert.Equal((FindingSide.OutputDiffers, 40L), (other.Side, other.LogOffset));
        Assert.EndsWith($" is not what line {41 + header} of {path} says", other.Text, StringComparison.Ordinal);

        File.WriteAllBytes(path, whole);
        Edit(path, compress, lines => lines.Reverse(40, 2));
        Assert.EndsWith("in another order", Assert.Single((await VerifyAsync(options)).Findings).Text, StringComparison.Ordinal);

        File.WriteAllBytes(path, whole);
        Edit(path, compress, lines => lines.Insert(50, lines[40 + header]));
        Finding repeated = Assert.Single((await VerifyAsync(options)).Findings);
        Assert.Equal(FindingSide.OutputRepeated, repeated.Side);
        Assert.Equal($"{path} line 51 is there once more than in the topic", repeated.Text);
    }

    [Fact]
    public async Task Rows_of_several_partitions_in_one_file_are_told_apart()
    {
        SinkOptions options = _scene.Files(path: "all");
        for (int round = 0; round < 3; round++)
        {
            await SendAsync(0, 30);
            await SendAsync(1, 30);
            await _scene.RunFilesAsync(options);
        }
        string path = OutputFiles().Single();
        Edit(path, "none", lines =>
        {
            Assert.True(lines.Remove("line 1-31"));
            lines[lines.IndexOf("line 0-31")] = "Line 0-31";
        });
        VerifyReport report = await VerifyAsync(options);
        Assert.Equal([(FindingSide.OutputMissing, 0, 31L), (FindingSide.OutputMissing, 1, 31L)],
            report.Findings.Where(finding => finding.Partition >= 0).Select(finding => (finding.Side, finding.Partition, finding.LogOffset)));
        Assert.EndsWith("is of no record", Assert.Single(report.Findings, finding => finding.Partition < 0).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("raw", "none")]
    [InlineData("csv", "gzip")]
    public async Task A_file_that_was_moved_or_cut_is_a_note_and_what_came_later_is_compared(string format, string compress)
    {
        SinkOptions options = _scene.Files(format, compress);
        await SendAsync(0, 20);
        await _scene.RunFilesAsync(options);
        string path = OutputFiles().Single();
        File.Move(path, path + ".1");
        VerifyReport gone = await VerifyAsync(options);
        Assert.Empty(gone.Findings);
        Assert.Contains("moved away or emptied: 20 lines", Assert.Single(gone.Notes), StringComparison.Ordinal);
        Assert.True(Assert.Single(gone.Outputs) is { IsSame: false, IsWrong: false });

        await SendAsync(0, 20);
        await _scene.RunFilesAsync(options);
        VerifyReport anew = await VerifyAsync(options);
        Assert.Empty(anew.Findings);
        Assert.Contains("moved away or emptied: 20 lines", Assert.Single(anew.Notes), StringComparison.Ordinal);
        Assert.Equal(20, anew.RowsCompared);

        Edit(path, compress, lines => lines.RemoveAt(lines.Count - 10));
        VerifyReport edited = await VerifyAsync(options);
        Assert.Contains("offset 30 ", Assert.Single(edited.Findings).Text, StringComparison.Ordinal);
        Assert.True(Assert.Single(edited.Outputs).IsWrong);
    }

    [Theory]
    [InlineData(20)] // waits in staging when the topic is made anew
    [InlineData(2000)] // is published before
    public async Task Rows_of_a_topic_that_was_made_anew_are_in_no_part_of_the_one_before(int before)
    {
        SinkOptions options = _scene.Files("parquet", "zstd");
        await SendAsync(0, before);
        await _scene.RunFilesAsync(options);
        await SendAsync(0, 1);
        await _scene.RunFilesAsync(options);
        await _scene.MakeTopicAnewAsync();
        await SendAsync(0, 10);
        await SinkScene.RunAsync(options, () => Task.FromResult(Logs(options).Skip(2).Sum(log => log.NextOffset)), 10);
        await SendAsync(0, 5);
        await SinkScene.RunAsync(options, () => Task.FromResult(Logs(options).Skip(2).Sum(log => log.NextOffset)), 15);
        Assert.NotEmpty(FileStore.Committed(new OsFileSystem(), _scene.Output)!.Parts);
        VerifyReport report = await VerifyAsync(options);
        Assert.Empty(report.Findings);
        Assert.Equal(before + 1 + 15, report.RowsCompared);
    }

    private static List<LedgerEntry> Logs(SinkOptions options) => FileStore.Committed(new OsFileSystem(), options.Files!.Directory)!.Logs;

    [Theory]
    [InlineData("raw", 10, 1)]
    [InlineData("raw", 12, 1)]
    [InlineData("ndjson", 300, 0)]
    public async Task A_file_that_was_cut_is_compared_where_it_is_left_and_where_it_goes_on(string format, int left, int kept)
    {
        SinkOptions options = _scene.Files(format);
        await SendAsync(0, 10);
        await _scene.RunFilesAsync(options);
        string path = OutputFiles().Single();
        Cut(path, left);
        VerifyReport cut = await VerifyAsync(options);
        Assert.Empty(cut.Findings);
        Assert.Single(cut.Notes);

        await SendAsync(0, 10);
        await _scene.RunFilesAsync(options);
        VerifyReport anew = await VerifyAsync(options);
        Assert.Empty(anew.Findings);
        Assert.Single(anew.Notes);
        Assert.InRange(anew.RowsCompared, 10 + kept, 12);

        Edit(path, "none", lines => lines[^3] = "x");
        Assert.Equal(17L, Assert.Single((await VerifyAsync(options)).Findings, finding => finding.LogOffset >= 0).LogOffset);
    }

    [Fact]
    public async Task Equal_lines_of_several_partitions_are_not_taken_for_each_other_in_a_file_that_was_cut()
    {
        SinkOptions options = _scene.Files("raw", "none", "all");
        await _scene.SendAsync(1, ["the same", "of 1", "last of 1"]);
        await _scene.RunFilesAsync(options);
        await _scene.SendAsync(0, ["of 0", "the same", "last of 0"]);
        await _scene.RunFilesAsync(options);
        string path = OutputFiles().Single();
        Cut(path, "the same\nof 1\n".Length);
        VerifyReport cut = await VerifyAsync(options);
        Assert.Empty(cut.Findings);
        Assert.Contains("was cut: 4 lines", Assert.Single(cut.Notes), StringComparison.Ordinal);

        File.WriteAllText(path, "the same\nlast of 1\n");
        Assert.Contains("web_log-1 offset 1 ", Assert.Single((await VerifyAsync(options)).Findings).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("csv")]
    public async Task Lines_that_the_topic_no_longer_has_are_a_note_and_a_repeat_behind_them_is_found(string format)
    {
        SinkOptions options = _scene.Files(format);
        await SendAsync(0, 20);
        await _scene.RunFilesAsync(options);
        await _scene.RestartBrokerAsync(static directory => SinkScene.RaiseStart(directory, 20));
        await SendAsync(0, 20);
        await _scene.RunFilesAsync(options);
        VerifyReport report = await VerifyAsync(options);
        Assert.Empty(report.Findings);
        Assert.Contains(report.Notes, note => note.Contains("20 lines of records that the topic no longer has", StringComparison.Ordinal));

        string path = OutputFiles().Single();
        Edit(path, "none", lines => lines.Insert(30, "what is this?"));
        Assert.Equal($"{path} line 31 is of no record", Assert.Single((await VerifyAsync(options)).Findings).Text);
    }

    [Fact]
    public async Task Published_parts_are_compared_row_by_row()
    {
        SinkOptions options = _scene.Files("parquet", "none");
        for (int round = 0; round < 3; round++)
        {
            await SendAsync(0, 400);
            await _scene.RunFilesAsync(options);
        }
        string[] parts = [.. OutputFiles().Where(path => path.EndsWith(".parquet", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        Assert.Equal(["0-000000000000.parquet", "0-000000000400.parquet"], parts.Select(path => Path.GetFileName(path)));
        VerifyReport report = await VerifyAsync(options);
        Assert.Empty(report.Findings);
        Assert.Equal([(".staging/web_log/0.ndjson", 400L), ("web_log/0-000000000000.parquet", 400L), ("web_log/0-000000000400.parquet", 400L)], report.Outputs.Select(output => (output.Path, output.Lines)));

        File.Move(parts[0], parts[0] + ".archived");
        VerifyReport moved = await VerifyAsync(options);
        Assert.Empty(moved.Findings);
        Assert.Contains("0-000000000000.parquet was moved away or emptied: 400 lines", Assert.Single(moved.Notes), StringComparison.Ordinal);

        byte[] whole = File.ReadAllBytes(parts[1]);
        ReplaceText(parts[1], whole, "line 0-420", "lime 0-420");
        Finding other = Assert.Single((await VerifyAsync(options)).Findings);
        Assert.Equal((FindingSide.OutputDiffers, 420L), (other.Side, other.LogOffset));
        Assert.EndsWith($"is not what line 21 of {parts[1]} says", other.Text, StringComparison.Ordinal);

        Cut(parts[1], whole.Length - 10);
        Assert.Empty((await VerifyAsync(options)).Findings);
        whole.AsSpan(20, 200).Clear();
        File.WriteAllBytes(parts[1], whole);
        Assert.Contains((await VerifyAsync(options)).Findings, finding => finding.Side == FindingSide.OutputDiffers);
    }

    /// <summary>Changes a text within a file of pages that are not compressed.</summary>
    private static void ReplaceText(string path, byte[] bytes, string from, string to)
    {
        byte[] changed = [.. bytes];
        int at = changed.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(from));
        Assert.True(at > 0, "the text is there");
        System.Text.Encoding.UTF8.GetBytes(to).CopyTo(changed, at);
        File.WriteAllBytes(path, changed);
    }

    [Fact]
    public async Task A_changed_path_parser_or_format_leaves_what_was_written_before_comparable()
    {
        SinkOptions first = _scene.Files("csv", path: "old/{partition}");
        await _scene.SendAsync(0, [TestRows.Combined.Trim(), "nothing"]);
        await _scene.RunFilesAsync(first);
        SinkOptions second = first with { Parser = "combined" };
        await _scene.SendAsync(0, [TestRows.Combined.Trim(), "nothing"]);
        await _scene.RunFilesAsync(second);
        SinkOptions third = second with { Files = _scene.Files("ndjson", "gzip", "{topic}/{date}").Files };
        await _scene.SendAsync(0, [TestRows.Combined.Trim()]);
        await _scene.RunFilesAsync(third);
        VerifyReport report = await VerifyAsync(third);
        Assert.Empty(report.Findings);
        Assert.Empty(report.Notes);
        Assert.Equal([("old/0.csv", 2L), ("old/0.v2.csv", 2L), ("web_log/2026-11-20.ndjson.gz", 1L)], report.Outputs.Select(output => (output.Path, output.Lines)));
    }

    [Fact]
    public async Task A_sink_that_began_with_the_latest_has_nothing_of_what_was_before()
    {
        SinkOptions options = _scene.Files() with { StartFrom = "latest" };
        await SendAsync(0, 10);
        await SendAsync(1, 10);
        await _scene.RunFilesAsync(options, async () =>
        {
            // Where the topic ended is asked with the first claim.
            while (FileStore.Committed(new OsFileSystem(), _scene.Output) is not { Logs.Count: 2 })
            {
                await Task.Delay(10);
            }
            await SendAsync(0, 5);
        });
        VerifyReport report = await VerifyAsync(options);
        Assert.Empty(report.Findings);
        Assert.Equal(5, report.RowsCompared);
    }

    [Theory]
    [InlineData("raw", "none", "{topic}/{partition}")]
    [InlineData("csv", "gzip", "all")]
    [InlineData("parquet", "", "all")]
    [InlineData("parquet", "", "{topic}/{partition}")]
    public async Task Killed_anywhere_and_started_again_the_sink_passes(string format, string compress, string path)
    {
        SinkOptions options = _scene.Files(format, compress, path) with { Flush = new FlushOptions { Interval = TimeSpan.FromMilliseconds(1) } };
        // A round's lines of either partition are more than a part is made of: sinks die while they publish, too.
        const int LineBytes = 1_800;
        var disk = new MemoryDisk(TimeProvider.System);
        var random = new Random(7);
        int kills = 0;
        for (int round = 0; round < 12; round++)
        {
            await SendAsync(0, 40, LineBytes);
            await SendAsync(1, 40, LineBytes);
            int left = round >= 10 ? int.MaxValue : random.Next(5, 80);
            kills += await DiesAsync(options, new MemoryFileSystem(disk), left) ? 1 : 0;
            disk.LosePower(new Random(round));
        }
        // The last round publishes what the one before it staged: a flush begins with what is due.
        Assert.InRange(kills, 6, 10);
        VerifyReport report = await new Verifier(options, new TcpConnector(), new MemoryFileSystem(disk), TimeProvider.System, new Random(4)).RunAsync(null, default);
        Assert.Empty(report.Findings);
        Assert.Equal(12 * 80, report.RowsCompared);
        Assert.Equal(format == "parquet", report.Outputs.Any(output => output.Path.EndsWith(".parquet", StringComparison.Ordinal)));
    }

    /// <summary>Runs a sink that dies at a call of its file system; returns false when it has stored all before.</summary>
    private async Task<bool> DiesAsync(SinkOptions options, MemoryFileSystem files, int calls)
    {
        files.DieAt(calls);
        long ends = await _scene.EndAsync(0) + await _scene.EndAsync(1);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        ISinkStore store = SinkStores.Create(options, files, TimeProvider.System, new Random());
        var worker = new SinkWorker(options, new TcpConnector(), store, new SinkEnvironment { Random = new Random(3) });
        Task running = worker.RunAsync(stop.Token);
        try
        {
            while (!running.IsCompleted && (await store.ReadLedgerAsync(default)).Sum(log => log.NextOffset) < ends)
            {
                await Task.WhenAny(running, Task.Delay(20, stop.Token));
            }
            await stop.CancelAsync();
            await running;
            await store.DisposeAsync();
        }
        catch (ProcessDiedException)
        {
            await stop.CancelAsync();
            await running.ContinueWith(static _ => { }, TaskScheduler.Default);
        }
        bool isDead = !files.IsAlive;
        files.Die();
        return isDead;
    }

    /// <summary>Verifies twice: differences are the same when they are looked for in a few lines at a time.</summary>
    private static async Task<VerifyReport> VerifyAsync(SinkOptions options)
    {
        VerifyReport report = await SinkScene.VerifyAsync(options);
        VerifyReport sliced = await new Verifier(options, new TcpConnector(), new OsFileSystem(), TimeProvider.System, new Random(5)) { SliceLines = 7 }.RunAsync(null, default);
        Assert.Equal(report.Findings.Select(finding => finding.Text).Order(), sliced.Findings.Select(finding => finding.Text).Order());
        Assert.Equal(report.Notes, sliced.Notes);
        return report;
    }

    private readonly Dictionary<int, int> _sent = [];

    private Task SendAsync(int partition, int lines, int lineBytes = 0)
    {
        int from = _sent.GetValueOrDefault(partition);
        _sent[partition] = from + lines;
        return _scene.SendAsync(partition, Enumerable.Range(from, lines).Select(i => $"line {partition}-{i}".PadRight(lineBytes, '.')));
    }

    private string[] OutputFiles() => [.. Directory.GetFiles(_scene.Output, "*", SearchOption.AllDirectories).Where(path => Path.GetFileName(path) is var name
        && !name.StartsWith("manifest.", StringComparison.Ordinal) && !name.StartsWith('.') && name != "new-files")];

    private static void Cut(string path, int length)
    {
        using FileStream file = File.OpenWrite(path);
        file.SetLength(length);
    }

    /// <summary>Changes a file's lines; unless a person did it, the manifest counts them as if the sink had written them so.</summary>
    private void Edit(string path, string compress, Action<List<string>> edit, bool isByPerson = false)
    {
        List<string> lines = [.. PackedText.Read(File.ReadAllBytes(path), compress).Split('\n')[..^1]];
        edit(lines);
        File.WriteAllBytes(path, PackedText.Write(string.Concat(lines.Select(line => line + "\n")), compress));
        if (!isByPerson)
        {
            Manifest manifest = FileStore.Committed(new OsFileSystem(), _scene.Output)!;
            manifest.SetLength(Path.GetRelativePath(_scene.Output, path), new FileInfo(path).Length);
            File.WriteAllBytes(Path.Combine(_scene.Output, Manifest.FileName), manifest.Folded().Encode());
        }
    }
}
