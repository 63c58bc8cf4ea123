using System.Diagnostics;
using System.Globalization;
using System.Text;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Rows;
using LogPipeline.Testing;
using Npgsql;
using NpgsqlTypes;

namespace LogPipeline.Benchmarks;

/// <summary>
/// <c>./test bench sink</c>: flushes of 20,000 access-log lines into a private PostgreSQL that syncs each commit: ours, whole (claimed
/// ledger, ranges, parsing, encoding, commit), beside bare Npgsql binary COPY of the same columns, whose values are given as finished
/// objects, into a plain table without indexes, into the sink's table and into its partition. They take turns, so that all meet the same machine.
/// </summary>
internal sealed class SinkFlush : IAsyncDisposable
{
    private const int Rows = 20_000;
    private const int WarmUps = 4;
    private const int Rounds = 16;

    private readonly AccessLogParser _parser = new("combined");
    private readonly PostgresServer _server;
    private readonly PostgresStore _store;
    private readonly NpgsqlConnection _bare;
    private readonly RowBatch _rows = new();
    private readonly byte[][] _lines = [.. Enumerable.Range(0, Rows).Select(n => Encoding.ASCII.GetBytes(Line(n)))];
    private readonly object?[][] _values;
    private LedgerEntry _entry = null!;
    private string _partition = "";
    private OwnerToken _owner;
    private long _begin;

    private SinkFlush(PostgresServer server)
    {
        _server = server;
        _store = new PostgresStore("bench", new PostgresOptions { Connection = server.Connection() }, _parser, TimeProvider.System, new Random(1));
        _bare = new NpgsqlConnection(server.Connection());
        _values = [.. Enumerable.Range(0, Rows).Select(Values)];
    }

    public static async Task RunAsync(TextWriter to)
    {
        await using var bench = new SinkFlush(await PostgresServer.StartAsync("shared_buffers=512MB", "max_wal_size=8GB"));
        await bench.OpenAsync();
        var bare = new Figures();
        var routed = new Figures();
        var direct = new Figures();
        var ours = new Figures();
        for (int round = -WarmUps; round < Rounds; round++)
        {
            await MeasureAsync(() => bench.CopyAsync("bare_rows"), round < 0 ? null : bare);
            await MeasureAsync(() => bench.CopyAsync("web_log_rows"), round < 0 ? null : routed);
            await MeasureAsync(() => bench.CopyAsync(bench._partition), round < 0 ? null : direct);
            bench.Fill();
            await MeasureAsync(bench.FlushAsync, round < 0 ? null : ours);
        }
        to.WriteLine($"{Rounds} flushes of {Rows} rows each      rows/s (median)   us/row   bytes allocated/row");
        to.WriteLine(bare.Text("Npgsql binary COPY, values ready"));
        to.WriteLine(routed.Text("  into the table in partitions"));
        to.WriteLine(direct.Text("  into its partition"));
        to.WriteLine(ours.Text("a whole flush of the sink"));
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"a flush takes {ours.Median / bare.Median:P0} of the bare COPY's time"));
    }

    public async ValueTask DisposeAsync()
    {
        _rows.Dispose();
        await _store.DisposeAsync();
        await _bare.DisposeAsync();
        await _server.DisposeAsync();
    }

    private static async Task MeasureAsync(Func<Task> work, Figures? figures)
    {
        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        long started = Stopwatch.GetTimestamp();
        await work();
        figures?.Add(Stopwatch.GetElapsedTime(started).TotalSeconds, GC.GetTotalAllocatedBytes(precise: true) - allocated);
    }

    private async Task OpenAsync()
    {
        await _store.OpenAsync(default);
        var log = new LogIdentity("bench", "cluster", Guid.Empty, "web_log", 0);
        await _store.CreateAsync([new LedgerStart(log, 0)], default);
        _owner = OwnerToken.New(new Random(2));
        _entry = (await _store.ClaimAsync(log, _owner, default))!;
        await _bare.OpenAsync();
        Fill();
        await FlushAsync(); // makes the partition
        await using var command = new NpgsqlCommand("CREATE TABLE bare_rows (LIKE web_log_rows); SELECT tableoid::regclass::text FROM web_log_rows LIMIT 1", _bare);
        _partition = (string)(await command.ExecuteScalarAsync())!;
    }

    private async Task CopyAsync(string table)
    {
        await using NpgsqlTransaction transaction = await _bare.BeginTransactionAsync();
        await using (NpgsqlBinaryImporter copy = await _bare.BeginBinaryImportAsync($"COPY {table} ({string.Join(',', RowColumns.Of(_parser))}) FROM STDIN (FORMAT binary)"))
        {
            foreach (object?[] values in _values)
            {
                await WriteAsync(copy, values);
            }
            await copy.CompleteAsync();
        }
        await transaction.CommitAsync();
    }

    private async Task FlushAsync()
    {
        _rows.Parse(_parser);
        await _store.PrepareAsync(_rows, default);
        await using ISinkFlush flush = await _store.BeginAsync(default);
        var update = new LedgerUpdate(_entry.Id, _owner, _entry.NextOffset, _entry.NextOffset + Rows, 0);
        if (await flush.UpdateLedgerAsync(update, default) != 1)
        {
            throw new InvalidOperationException("the ledger is not as expected");
        }
        IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(_rows.Sources, default);
        foreach (ref readonly Row row in _rows.Rows)
        {
            sources[0].Stored.Add(row.CoveredBegin, row.CoveredEnd);
        }
        await flush.CopyRowsAsync(_entry.Id, _rows, [sources[0].Id], default);
        await flush.UpdateSourcesAsync(sources, default);
        await flush.CommitAsync(default);
        _entry = _entry with { NextOffset = update.Next };
    }

    /// <summary>Collects the rows anew, as the poll loop does while another flush is under way.</summary>
    private void Fill()
    {
        _rows.Clear();
        _rows.Sources.Add(new Source(new SourceKey(Guid.Empty, 1, "web_log"), "web-1", "/var/log/nginx/access.log"));
        long offset = _entry.NextOffset;
        foreach (byte[] line in _lines)
        {
            ref Row row = ref _rows.Add(line);
            row.Offset = offset++;
            row.Timestamp = 1_790_000_000_000;
            row.CoveredBegin = row.LineBegin = _begin;
            row.CoveredEnd = _begin += row.ValueLength + 1;
        }
    }

    private static string Line(int n) => string.Create(CultureInfo.InvariantCulture,
        $"40.85.{n % 256}.17 - - [21/Nov/2026:00:00:{n / 1000 % 60:00} +0000] \"GET /orders/api/search?n={n} HTTP/1.1\" 200 {n} \"https://www.example.com/search?q=shoes\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.0.0 Safari/537.36\"");

    private object?[] Values(int n)
    {
        byte[] line = Encoding.ASCII.GetBytes(Line(n));
        using var scratch = new PooledBytes();
        var fields = new Field[_parser.Columns.Count];
        var found = new ParsedLine(fields, scratch);
        if (!_parser.TryParse(line, ref found))
        {
            throw new InvalidOperationException("the line is not of the parser's form");
        }
        long time = found.EventTime;
        object?[] parsed = [.. fields.Select((f, i) => !f.HasValue ? null : _parser.Columns[i].Kind switch
        {
            ColumnKind.Text => Encoding.UTF8.GetString(line, f.Start, f.Length),
            ColumnKind.Integer => (int)f.Number,
            ColumnKind.Time => DateTime.UnixEpoch.AddMicroseconds(f.Number),
            _ => (object)f.Number,
        })];
        return [1, (long)n, DateTime.UnixEpoch.AddMicroseconds(time), 1, (long)n * 200, 0, Line(n), null, true, (short)0, .. parsed];
    }

    private static async Task WriteAsync(NpgsqlBinaryImporter copy, object?[] values)
    {
        await copy.StartRowAsync();
        foreach (object? value in values)
        {
            switch (value)
            {
                case null: await copy.WriteNullAsync(); break;
                case int number: await copy.WriteAsync(number, NpgsqlDbType.Integer); break;
                case long number: await copy.WriteAsync(number, NpgsqlDbType.Bigint); break;
                case short number: await copy.WriteAsync(number, NpgsqlDbType.Smallint); break;
                case bool truth: await copy.WriteAsync(truth, NpgsqlDbType.Boolean); break;
                case DateTime time: await copy.WriteAsync(time, NpgsqlDbType.TimestampTz); break;
                default: await copy.WriteAsync((string)value, NpgsqlDbType.Text); break;
            }
        }
    }

    /// <summary>Seconds and bytes allocated, one of each a round.</summary>
    private sealed class Figures
    {
        private readonly List<double> _seconds = [];
        private long _bytes;

        public double Median => _seconds.Order().ElementAt(_seconds.Count / 2);

        public void Add(double seconds, long bytes)
        {
            _seconds.Add(seconds);
            _bytes += bytes;
        }

        public string Text(string name) => string.Create(CultureInfo.InvariantCulture,
            $"{name,-36}{Rows / Median,20:F0}{Median * 1e6 / Rows,9:F2}{(double)_bytes / _seconds.Count / Rows,22:F1}");
    }
}
