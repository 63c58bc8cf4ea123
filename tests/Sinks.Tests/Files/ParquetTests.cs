using System.Text;
using DuckDB.NET.Data;
using LogPipeline.Files;
using LogPipeline.Sinks.Files;
using LogPipeline.Sinks.Files.Parts;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Tests.Parsing;
using LogPipeline.Testing.Files;
using LogPipeline.Testing.Time;

namespace LogPipeline.Sinks.Tests.Files;

/// <summary>Parquet files of the file sink, as another program reads them, and when and how they come to be.</summary>
public sealed class ParquetTests : IDisposable
{
    private static readonly LogIdentity Log = new("web", "cluster", Guid.Empty, "web_log", 0);

    private readonly string _directory = Directory.CreateTempSubdirectory("logpipe-parquet-").FullName;
    private readonly RecordedEvents _events = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("", "SNAPPY")]
    [InlineData("zstd", "ZSTD")]
    [InlineData("none", "UNCOMPRESSED")]
    public async Task Columns_have_their_types_and_values_in_DuckDB(string compress, string codec)
    {
        await using FileStore store = Store(new EveryKindParser(), compress);
        await StoreAsync(store, 0, ["J\u00fcrgen|-7|9000000000|0.1|true|1795249800123456|2001:db8::1|{\"a\":[1,\"x\"]}"u8.ToArray(), "|||||||"u8.ToArray(), [(byte)'a', 0, 0xff, (byte)'"']]);
        await PublishAsync(store);
        Assert.Equal(
            ["topic VARCHAR", "partition INTEGER", "log_offset BIGINT", "time TIMESTAMP WITH TIME ZONE", "host VARCHAR", "file VARCHAR", "generation VARCHAR", "file_offset BIGINT",
                "part INTEGER", "line VARCHAR", "raw BLOB", "parsed BOOLEAN", "a_text VARCHAR", "a_integer INTEGER", "a_biginteger BIGINT", "a_double DOUBLE", "a_boolean BOOLEAN",
                "a_time TIMESTAMP WITH TIME ZONE", "a_address VARCHAR", "a_json VARCHAR"],
            Ask("SELECT column_name || ' ' || column_type FROM (DESCRIBE SELECT * FROM {0})").Select(row => row[0]));
        Assert.Equal([codec], Ask("SELECT DISTINCT compression FROM parquet_metadata({0})").Select(row => row[0]));
        Assert.Equal(["web_log|0|0|1795249800123456|web-1|/var/log/nginx/access.log|0000000000000007|0|0|true|J\u00fcrgen|-7|9000000000|0.1|true|1795249800123456|2001:db8::1|{\"a\":[1,\"x\"]}"],
            Ask("SELECT concat_ws('|', topic, partition, log_offset, epoch_us(time), host, file, generation, file_offset, part, parsed, a_text, a_integer, a_biginteger, a_double, a_boolean, "
                + "epoch_us(a_time), a_address, a_json) FROM {0} WHERE log_offset = 0").Select(row => row[0]));
        Assert.Equal([["true", "true", "true", "true", "true", "true", "true", "true"]],
            Ask("SELECT a_text IS NULL, a_integer IS NULL, a_biginteger IS NULL, a_double IS NULL, a_boolean IS NULL, a_time IS NULL, a_address IS NULL, a_json IS NULL FROM {0} WHERE log_offset = 1")
                .Select(row => row.Select(value => value!.ToLowerInvariant())));
        Assert.Equal([["a\u2400\ufffd\"", "6100FF22"]], Ask("SELECT line, hex(raw) FROM {0} WHERE raw IS NOT NULL"));
    }

    [Fact]
    public async Task The_question_in_the_readme_is_answered()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "README.md")))
        {
            root = Path.GetDirectoryName(root)!;
        }
        string command = File.ReadLines(Path.Combine(root, "README.md")).Single(line => line.Contains("$ duckdb -c \"", StringComparison.Ordinal));
        string question = command[(command.IndexOf('"', StringComparison.Ordinal) + 1)..command.LastIndexOf('"')];
        await using FileStore store = Store(LineParsers.Named("combined"));
        string[] times = [.. new[] { 0, 1, 25 }.Select(hours => DateTime.UtcNow.AddHours(-hours).ToString("dd/MMM/yyyy:HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture))];
        await StoreAsync(store, 0, [.. times.Select(time => Encoding.UTF8.GetBytes($"10.0.0.1 - - [{time} +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"curl\""))]);
        await PublishAsync(store);
        Assert.Contains("data/out/**/*.parquet", question, StringComparison.Ordinal);
        Assert.Equal([["200", "2"]], Ask(question.Replace("'data/out/**/*.parquet'", "{0}", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_condition_leaves_out_no_row()
    {
        await using FileStore store = Store(new NoParser());
        string[] texts = ["\ufffd", "😀", "a", "z", "é"];
        for (int i = 0; i < 5; i++)
        {
            await StoreAsync(store, i, [Encoding.UTF8.GetBytes(texts[i])], new DateTimeOffset(2026, 11, 21, 8, 30, i, TimeSpan.Zero));
            await PublishAsync(store);
        }
        Assert.Equal(5, Directory.GetFiles(_directory, "*.parquet", SearchOption.AllDirectories).Length);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal($"{i}", Ask($"SELECT log_offset FROM {{0}} WHERE time = TIMESTAMPTZ '2026-11-21 08:30:0{i}+00'").Single()[0]);
            Assert.Equal($"{i}", Ask($"SELECT log_offset FROM {{0}} WHERE line = '{texts[i]}'").Single()[0]);
        }
        Assert.Equal("2", Ask("SELECT count(*) FROM {0} WHERE time > TIMESTAMPTZ '2026-11-21 08:30:02.5+00'").Single()[0]);
        string[][] ranges = [.. Ask("SELECT stats_min_value, stats_max_value FROM parquet_metadata({0}) WHERE path_in_schema = 'time' ORDER BY 1").Select(row => row.Select(value => value!).ToArray())];
        Assert.Equal(["2026-11-21 08:30:00+00", "2026-11-21 08:30:00+00"], ranges[0]);
    }

    [Fact]
    public async Task A_part_of_many_rows_has_several_row_groups()
    {
        await using FileStore store = Store(new NoParser());
        for (int i = 0; i < 3; i++)
        {
            await StoreAsync(store, i * 40_000, [.. Enumerable.Range(i * 40_000, 40_000).Select(n => Encoding.UTF8.GetBytes($"line {n}"))]);
        }
        await PublishAsync(store);
        Assert.Equal([["120000", "7199940000"]], Ask("SELECT count(*), sum(substr(line, 6)::BIGINT) FROM {0}"));
        Assert.Equal([["2"]], Ask("SELECT max(row_group_id) + 1 FROM parquet_metadata({0})"));
    }

    [Fact]
    public async Task Power_lost_at_any_call_of_a_publication_leaves_each_row_once()
    {
        for (int fatal = 1; ; fatal++)
        {
            var files = new MemoryFileSystem(new MemoryDisk(TimeProvider.System));
            await using (FileStore store = Store(new NoParser(), files: files))
            {
                await StoreAsync(store, 0, ["one"u8.ToArray(), "two"u8.ToArray()]);
            }
            files.DieAt(fatal);
            bool isFinished = await Death.OutlivesAsync(async () =>
            {
                await using FileStore store = Store(new NoParser(), files: files);
                await store.OpenAsync(default);
                await PublishAsync(store);
                await StoreAsync(store, 2, ["three"u8.ToArray()]);
            });
            files = files.LosePower(fatal);
            await using FileStore found = Store(new NoParser(), files: files);
            await found.OpenAsync(default);
            long next = (await found.ReadLedgerAsync(default)).Single().NextOffset;
            Assert.Equal(new[] { "one", "two", "three" }.Take((int)next), await LinesAsync(files));
            if (isFinished)
            {
                Assert.Equal(3, next);
                Assert.True(fatal > 40, "the run was cut at each of its calls");
                return;
            }
        }
    }

    [Fact]
    public async Task Rows_are_published_by_size_and_by_age_and_those_of_another_parser_in_files_of_their_own()
    {
        var clock = new ManualTime();
        await using (FileStore store = Store(new NoParser(), time: clock, publish: new PublishOptions { BytesMax = 1000, Interval = TimeSpan.FromMinutes(10) }))
        {
            await StoreAsync(store, 0, ["one"u8.ToArray()]);
            await PublishAsync(store);
            Assert.Empty(Parts());
            await StoreAsync(store, 1, [.. Enumerable.Range(0, 10).Select(i => Encoding.UTF8.GetBytes($"line {i}"))]);
            await StoreAsync(store, 11, ["next"u8.ToArray()]);
            Assert.Equal(["0-000000000000.parquet"], Parts());
            Assert.Equal("11", Ask("SELECT count(*) FROM {0}").Single()[0]);
        }
        await using FileStore later = Store(LineParsers.Named("logfmt"), time: clock, publish: new PublishOptions { Interval = TimeSpan.FromMinutes(10) });
        await StoreAsync(later, 12, ["level=warn msg=hot"u8.ToArray()]);
        await PublishAsync(later);
        clock.Advance(TimeSpan.FromMinutes(11));
        await PublishAsync(later);
        Assert.Equal(["0-000000000000.parquet", "0-000000000011.parquet", "0.v2-000000000012.parquet"], Parts());
        Assert.Equal([["next", null], ["level=warn msg=hot", "warn"]], Ask("SELECT line, level FROM read_parquet({0}, union_by_name => true) WHERE log_offset > 10 ORDER BY log_offset"));
    }

    [Theory]
    [InlineData("parquet", "gzip", "compresses its own columns")]
    [InlineData("parquet", "lz4", "write none, snappy or zstd")]
    [InlineData("csv", "snappy", "write none, gzip or zstd")]
    public void A_compression_that_makes_no_sense_is_refused(string format, string compress, string expected)
    {
        var options = new SinkOptions { Name = "web", Topics = ["t"], Files = new FilesOptions { Directory = "/out", Format = format, Compress = compress } };
        Assert.Contains(expected, Assert.Throws<SinkConfigurationException>(options.Validate).Message, StringComparison.Ordinal);
    }

    private FileStore Store(ILineParser parser, string compress = "", IFileSystem? files = null, TimeProvider? time = null, PublishOptions? publish = null)
    {
        var options = new FilesOptions { Directory = files is null ? _directory : "/out", Format = "parquet", Compress = compress, Publish = publish ?? new PublishOptions { Interval = TimeSpan.Zero } };
        return new FileStore("web", options, parser, files ?? new OsFileSystem(), new Random(1), time ?? TimeProvider.System, _events);
    }

    private static async Task StoreAsync(FileStore store, long offset, byte[][] lines, DateTimeOffset? time = null)
    {
        using RowBatch rows = TestRows.Batch(offset, lines);
        foreach (ref Row row in rows.Rows)
        {
            row.Timestamp = time?.ToUnixTimeMilliseconds() ?? row.Timestamp;
        }
        rows.Parse(store.Parser);
        await store.CreateAsync([new LedgerStart(Log, 0)], default);
        LedgerEntry entry = (await store.ClaimAsync(Log, OwnerToken.New(new Random(3)), default))!;
        await store.PrepareAsync(rows, default);
        await using ISinkFlush flush = await store.BeginAsync(default);
        Assert.Equal(1, await flush.UpdateLedgerAsync(new LedgerUpdate(entry.Id, entry.Owner, offset, offset + rows.Count, 0), default));
        await flush.CopyRowsAsync(entry.Id, rows, [1], default);
        await flush.CommitAsync(default);
    }

    private static async Task PublishAsync(FileStore store) => await Assert.Single(store.Chores).DoAsync(default);

    private IEnumerable<string> Parts() => Directory.GetFiles(_directory, "*.parquet", SearchOption.AllDirectories).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    /// <summary>Asks DuckDB; <c>{0}</c> are all parts.</summary>
    private List<string?[]> Ask(string sql)
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = "SET TimeZone = 'UTC'";
        command.ExecuteNonQuery();
        command.CommandText = string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, $"'{_directory}/**/*.parquet'");
        using DuckDBDataReader reader = command.ExecuteReader();
        var rows = new List<string?[]>();
        while (reader.Read())
        {
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? null : Convert.ToString(reader.GetValue(i), System.Globalization.CultureInfo.InvariantCulture))]);
        }
        return rows;
    }

    /// <summary>The lines of all committed parts, then of what is staged.</summary>
    private static async Task<List<string>> LinesAsync(MemoryFileSystem files)
    {
        var lines = new List<string>();
        Manifest manifest = FileStore.Committed(files, "/out")!;
        foreach ((string name, long length) in manifest.Lengths.Where(file => file.Value > 0).OrderByDescending(file => file.Key.EndsWith(".parquet", StringComparison.Ordinal)))
        {
            using var stream = new FileView(files.Open("/out/" + name, FileOpenMode.Read), length);
            if (manifest.Parts.ContainsKey(name))
            {
                await PartReader.ReadAsync(stream, line => lines.Add(LineOf(line)), default);
                continue;
            }
            using var staged = new StagedLines(stream);
            staged.Read(); // the columns
            while (staged.Read())
            {
                lines.Add(LineOf(staged.Current.ToArray()));
            }
        }
        int known = files.List("/out/web_log").SelectMany(day => files.List($"/out/web_log/{day.Name}")).Count();
        Assert.Equal(manifest.Parts.Count, known);
        return lines;
    }

    private static string LineOf(ReadOnlyMemory<byte> json)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        return document.RootElement.GetProperty("line").GetString()!;
    }
}
