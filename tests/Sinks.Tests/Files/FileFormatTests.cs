using System.Text;
using System.Text.Json;
using LogPipeline.Files;
using LogPipeline.Sinks.Files;
using LogPipeline.Sinks.Files.Parts;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using LogPipeline.Testing.Files;

namespace LogPipeline.Sinks.Tests.Files;

/// <summary>What stands in the files of each format, and where they are.</summary>
public sealed class FileFormatTests
{
    private const string Good = """10.0.0.1 - "bob", [21/Nov/2026:08:30:00 +0000] "GET /a,b HTTP/1.1" 200 5 "-" "say \"hi\", ok" """;
    private static readonly byte[] Broken = [(byte)'a', 0, 0xff, (byte)'"', (byte)',', (byte)'\n', (byte)'b'];
    private static readonly LogIdentity Log = new("web", "cluster", Guid.Empty, "web_log", 3);

    private readonly MemoryFileSystem _files = new(new MemoryDisk(TimeProvider.System));

    [Theory]
    [InlineData("none", ".ndjson")]
    [InlineData("gzip", ".ndjson.gz")]
    [InlineData("zstd", ".ndjson.zst")]
    public async Task Ndjson_has_the_columns_of_the_view(string compress, string extension)
    {
        await StoreAsync(new FilesOptions { Directory = "/out", Format = "ndjson", Compress = compress }, Batch(Good), Batch(Encoding.UTF8.GetString(Broken)));
        string good = Assert.Single(PackedText.Read(Read($"/out/web_log/2026-11-21/3{extension}"), compress).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        JsonElement row = JsonDocument.Parse(good).RootElement;
        Assert.Equal(("web_log", 3, 0L, "2026-11-21T08:30:00Z"), (row.GetProperty("topic").GetString(), row.GetProperty("partition").GetInt32(),
            row.GetProperty("log_offset").GetInt64(), row.GetProperty("time").GetString()));
        Assert.Equal((Good.Trim(), true, 200, "/a,b"), (row.GetProperty("line").GetString()!.Trim(), row.GetProperty("parsed").GetBoolean(),
            row.GetProperty("status").GetInt32(), row.GetProperty("path").GetString()));
        Assert.Equal(("web-1", "/var/log/nginx/access.log", "0000000000000007", 0), (row.GetProperty("host").GetString(), row.GetProperty("file").GetString(),
            row.GetProperty("generation").GetString(), row.GetProperty("file_offset").GetInt32()));
        Assert.False(row.TryGetProperty("http_referer", out _));
        Assert.False(row.TryGetProperty("raw", out _));
    }

    [Fact]
    public async Task A_line_that_is_no_text_keeps_its_bytes_in_ndjson_and_csv()
    {
        await StoreAsync(new FilesOptions { Directory = "/json", Format = "ndjson" }, TestRows.Batch(0, Broken));
        JsonElement row = JsonDocument.Parse(Read("/json/web_log/2023-11-14/3.ndjson")).RootElement;
        Assert.Equal("a\u2400\ufffd\",\nb", row.GetProperty("line").GetString());
        Assert.Equal(Broken, row.GetProperty("raw").GetBytesFromBase64());

        await StoreAsync(new FilesOptions { Directory = "/csv", Format = "csv" }, TestRows.Batch(0, Broken));
        string csv = Encoding.UTF8.GetString(Read("/csv/web_log/2023-11-14/3.csv"));
        Assert.Contains($",\"a\u2400\ufffd\"\",\nb\",{Convert.ToBase64String(Broken)},false,", csv, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("gzip")]
    public async Task Csv_begins_with_its_columns_once_and_quotes_what_needs_it(string compress)
    {
        await StoreAsync(new FilesOptions { Directory = "/out", Format = "csv", Compress = compress }, Batch(Good), Batch(Good));
        string[] lines = PackedText.Read(Read($"/out/web_log/2026-11-21/3.csv{(compress == "gzip" ? ".gz" : "")}"), compress).Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.Equal("topic,partition,log_offset,time,host,file,generation,file_offset,part,line,raw,parsed,remote_addr,remote_user,time_local,method,path,query,protocol,status,"
            + "body_bytes_sent,http_referer,http_user_agent", lines[0]);
        string quoted = Good.Replace("\"", "\"\"", StringComparison.Ordinal);
        Assert.Equal($"web_log,3,0,2026-11-21T08:30:00.0000000Z,web-1,/var/log/nginx/access.log,0000000000000007,0,0,\"{quoted}\",,true,10.0.0.1,\"\"\"bob\"\",\","
            + "2026-11-21T08:30:00.0000000Z,GET,\"/a,b\",,HTTP/1.1,200,5,,\"say \\\"\"hi\\\"\", ok\"", lines[1]);
    }

    [Fact]
    public async Task Rows_of_many_hosts_and_hours_go_to_files_of_their_own()
    {
        using var rows = new RowBatch();
        for (int i = 0; i < 400; i++)
        {
            if (rows.Sources.Count < 200)
            {
                rows.Sources.Add(new Source(TestRows.Key((ulong)rows.Sources.Count + 1), $"web-{i}", "/a.log"));
            }
            ref Row row = ref rows.Add(Encoding.UTF8.GetBytes($"line {i}"));
            (row.Offset, row.Source, row.Timestamp, row.CoveredEnd) = (i, i % 200, i < 200 ? 0 : 3_600_000, 5);
        }
        int open = 0;
        int openMost = 0;
        _files.After = call =>
        {
            open += call.Operation == FileOperation.Open && call.Path.EndsWith(".log", StringComparison.Ordinal) ? 1 : 0;
            openMost = Math.Max(openMost, open);
        };
        await StoreAsync(new FilesOptions { Directory = "/out", Path = "{host}/{date}T{hour}" }, rows);
        Assert.Equal(200, _files.List("/out").Count(entry => entry.IsDirectory));
        Assert.Equal("line 7\n", Encoding.UTF8.GetString(Read("/out/web-7/1970-01-01T00.log")));
        Assert.Equal("line 207\n", Encoding.UTF8.GetString(Read("/out/web-7/1970-01-01T01.log")));
        Assert.True(openMost >= 400, "each was opened");
    }

    [Theory]
    [InlineData("..", "_.")]
    [InlineData(".hidden", "_hidden")]
    [InlineData("a/b", "a_b")]
    [InlineData("", "unknown")]
    [InlineData("web-1.example.com", "web-1.example.com")]
    public void A_host_leads_nowhere_else(string host, string part) => Assert.Equal($"x/{part}.log", new FilePathTemplate("x/{host}", ".log").PathOf(Log, 0, host));

    /// <summary>One such record would hold up its partition for ever: a file system takes names of 255 bytes, a topic's has up to 249 and a host's any number.</summary>
    [Fact]
    public void Names_of_long_topics_and_hosts_are_cut_and_stay_apart()
    {
        LogIdentity log = Log with { Topic = new string('t', 249) };
        var template = new FilePathTemplate("ö/{topic}{host}", ".ndjson.zst");
        string[] hosts = [new string('h', 300), new string('h', 301), new string('h', 300) + "/x", ""];
        string[] names = [.. hosts.Select(host => template.PathOf(log, 0, host, 12)["ö/".Length..])];
        Assert.Equal(hosts.Length, names.Distinct().Count());
        Assert.All(names, name => Assert.True(Encoding.UTF8.GetByteCount(StagedFormat.PartOf($".staging/{name}", new string('9', 12))) <= 255 && name.EndsWith(".v12.ndjson.zst", StringComparison.Ordinal)));
        string wide = new FilePathTemplate($"a{new string('ö', 125)}{{host}}/x", ".log").PathOf(log, 0, "");
        Assert.Matches("^aö{101}~[0-9a-f]{16}/x.log$", wide);
    }

    [Theory]
    [InlineData("{topic}")]
    [InlineData("{date}/x-{topic}")]
    public void A_topic_that_is_called_as_a_version_has_files_of_its_own(string path)
    {
        var template = new FilePathTemplate(path, ".csv");
        string[] topics = ["orders", "orders.v2", "orders.v2.v3"];
        string[] paths = [.. topics.SelectMany(topic => new[] { 1, 2, 3 }.Select(version => template.PathOf(Log with { Topic = topic }, 0, "", version)))];
        Assert.Equal(paths.Length, paths.Distinct().Count());
        Assert.EndsWith("orders.v2.csv", paths[1], StringComparison.Ordinal);
        Assert.EndsWith("orders.v2~.csv", paths[3], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{topic}/{host", "a brace has no other one")]
    [InlineData("{topc}", "did you mean {topic}?")]
    [InlineData("{x}", "there are {topic}, {partition}, {date}, {hour}, {host}")]
    [InlineData("../{topic}", "must be a path below the directory")]
    [InlineData("/tmp/{topic}", "must be a path below the directory")]
    [InlineData("", "must be a path below the directory")]
    public void A_template_that_cannot_be_used_is_refused(string template, string expected)
    {
        var options = new SinkOptions { Name = "web", Topics = ["t"], Files = new FilesOptions { Directory = "/out", Path = template } };
        Assert.Contains(expected, Assert.Throws<SinkConfigurationException>(options.Validate).Message, StringComparison.Ordinal);
    }

    private static RowBatch Batch(string line) => TestRows.Batch(0, line);

    /// <summary>Stores batches one after another, each in a transaction of its own.</summary>
    private async Task StoreAsync(FilesOptions options, params RowBatch[] batches)
    {
        var parser = new AccessLogParser("combined");
        await using var store = new FileStore("web", options, parser, _files, new Random(1), TimeProvider.System, new Sinks.Events.SilentSinkEvents());
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log, 0)], default);
        LedgerEntry entry = (await store.ReadLedgerAsync(default)).Single();
        foreach (RowBatch rows in batches)
        {
            rows.Parse(parser);
            await using ISinkFlush flush = await store.BeginAsync(default);
            IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
            await flush.CopyRowsAsync(entry.Id, rows, [.. sources.Select(s => s.Id)], default);
            await flush.CommitAsync(default);
        }
    }

    private byte[] Read(string path)
    {
        using IFile file = _files.Open(path, FileOpenMode.Read);
        byte[] bytes = new byte[file.Length];
        Assert.Equal(bytes.Length, file.ReadFully(bytes, 0));
        return bytes;
    }
}
