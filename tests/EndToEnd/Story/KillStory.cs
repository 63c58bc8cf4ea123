using System.Diagnostics;
using LogPipeline.EndToEnd.Harness;
using LogPipeline.Testing;
using Npgsql;
using Xunit.Abstractions;

namespace LogPipeline.EndToEnd.Story;

/// <summary>How much happens in a story.</summary>
internal sealed record StorySize(int Lines, int LinesPerSecond, int Renames, int KillsOfEach, int Seed, TimeSpan DrainTime);

/// <summary>
/// Lines are written while agent, broker, sink and database are killed at seeded times; then all is left to drain, and the rows are
/// counted: every n once. The story's processes are the real ones, run as a user would.
/// </summary>
internal sealed class KillStory : IAsyncDisposable
{
    private readonly Workspace _workspace = new();
    private readonly StorySize _size;
    private readonly ITestOutputHelper _told;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly List<IVictim> _victims;
    private readonly PostgresServer _postgres;

    private KillStory(StorySize size, ITestOutputHelper told, PostgresServer postgres, bool kafka)
    {
        (_size, _told, _postgres) = (size, told, postgres);
        int port = Ports.Free(2);
        _workspace.Configure($$"""
            broker: { data: ./broker, listen: 127.0.0.1:{{port}}, settings: { num.partitions: 1 } }
            agent:
              bootstrap: 127.0.0.1:{{port}}
              state: ./agent
              inputs:
                - paths: ["./access.log*"]
                  topic: web_log
            sinks:
              - name: web_log
                bootstrap: 127.0.0.1:{{port}}
                topics: [web_log]
                parser: combined
                postgres: { connection: "{{postgres.Connection()}}", table: web_log }
            """);
        _victims =
        [
            kafka ? Kafka(port) : Program("broker"),
            Program("agent"),
            Program("sink"),
            new PostgresVictim(postgres),
        ];
    }

    public Workspace Workspace => _workspace;

    public static async Task<KillStory> BeginAsync(StorySize size, ITestOutputHelper told, bool kafka)
    {
        // As people run it, with fsync.
        var story = new KillStory(size, told, await PostgresServer.StartAsync("shared_buffers=128MB"), kafka);
        foreach (IVictim victim in story._victims)
        {
            await victim.StartAsync();
        }
        return story;
    }

    /// <summary>Writes, kills and waits until the table has as many rows as lines were written.</summary>
    public async Task RunAsync()
    {
        var feeder = new Feeder(_workspace.File("access.log"), Lines(), _size);
        Task writing = feeder.RunAsync();
        await KillAsync(writing);
        await writing;
        Assert.Equal(_size.Renames + 1, feeder.Files.Count);
        Tell($"{_size.Lines} lines written to {feeder.Files.Count} files; draining");
        await DrainAsync();
        Tell($"{_size.Lines} rows");
    }

    /// <summary>Numbers that are not in the table exactly once, as the lines tell them.</summary>
    public async Task<IReadOnlyList<(long Number, long Count)>> WrongNumbersAsync()
    {
        var wrong = new List<(long, long)>();
        await using var source = NpgsqlDataSource.Create(_postgres.Connection());
        await using NpgsqlCommand command = source.CreateCommand($"""
            SELECT coalesce(s.n, r.n), coalesce(r.count, 0) FROM generate_series(0, {_size.Lines - 1}) s(n)
            FULL JOIN (SELECT substring(line from '[?]n=([0-9]+) ')::bigint n, count(*) count FROM web_log_rows GROUP BY 1) r ON r.n = s.n
            WHERE r.count IS DISTINCT FROM 1 OR s.n IS NULL ORDER BY 1 LIMIT 20
            """);
        command.CommandTimeout = 600;
        await using NpgsqlDataReader rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            wrong.Add((await rows.IsDBNullAsync(0) ? -1 : rows.GetInt64(0), rows.GetInt64(1)));
        }
        return wrong;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(_postgres.Connection());
        await using NpgsqlCommand command = source.CreateCommand(sql);
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }

    public Task<(int Status, string Output, string Errors)> VerifyAsync()
        => RealProcess.RunAsync(Programs.Logpipe, _workspace.Folder, ["verify"], within: TimeSpan.FromMinutes(10));

    public async ValueTask DisposeAsync()
    {
        foreach (IVictim? victim in Enumerable.Reverse(_victims))
        {
            await victim.DisposeAsync();
        }
        _workspace.Dispose();
    }

    // Line k has n=k in its query, from either source.
    private IEnumerable<string> Lines()
        => (Environment.GetEnvironmentVariable("LOGPIPE_E2E_LINES") is { Length: > 0 } file ? File.ReadLines(file) : WebLines.Make(_size.Seed)).Take(_size.Lines);

    // The schedule comes from the seed: so many kills of each, spread over the time of writing.
    private async Task KillAsync(Task writing)
    {
        var random = new Random(_size.Seed);
        double seconds = (double)_size.Lines / _size.LinesPerSecond;
        var schedule = _victims.SelectMany(victim => Enumerable.Range(0, _size.KillsOfEach).Select(_ => (At: TimeSpan.FromSeconds(random.NextDouble() * seconds), victim)))
            .OrderBy(kill => kill.At).ToList();
        TimeSpan begin = _clock.Elapsed;
        foreach ((TimeSpan at, IVictim? victim) in schedule)
        {
            if (at - (_clock.Elapsed - begin) is { Ticks: > 0 } left)
            {
                await Task.Delay(left);
            }
            await victim.KillAsync();
            Tell($"killed {victim.Name}");
            // Sometimes back at once, sometimes away for a while.
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(2) == 0 ? 0 : random.Next(500)));
            victim.StartAgain();
            Assert.False(writing.IsFaulted, writing.Exception?.ToString());
        }
    }

    private async Task DrainAsync()
    {
        long seen = 0L;
        await Deadline.UntilAsync(_size.DrainTime, async () =>
        {
            foreach (IVictim victim in _victims)
            {
                Assert.Null(victim.EndedByItself);
            }
            seen = await CountAsync() ?? seen;
            return seen >= _size.Lines;
        }, () => $"{seen} rows of {_size.Lines}\n{string.Join("\n", _victims.OfType<ProcessVictim>().Select(v => $"--- {v.Name}: {string.Join("\n", v.Process.Errors.Split('\n').TakeLast(15))}"))}");
    }

    // Null while the database is away or has no table yet.
    private async Task<long?> CountAsync()
    {
        try
        {
            await using var source = NpgsqlDataSource.Create(_postgres.Connection());
            await using NpgsqlCommand command = source.CreateCommand("SELECT count(*) FROM web_log_rows");
            return (long?)await command.ExecuteScalarAsync();
        }
        catch (NpgsqlException)
        {
            return null;
        }
    }

    private void Tell(string what) => _told.WriteLine($"{_clock.Elapsed.TotalSeconds:F1} s: {what}");

    private ProcessVictim Program(string verb) => new(verb, () => _workspace.Start(verb, "--log-level", "warning"), process => process.ReadyAsync());

    private ProcessVictim Kafka(int port) => new("kafka", () => RealProcess.Start("/bin/bash", _workspace.Folder, [Programs.KafkaScript!, "4.2", "start", _workspace.File("kafka"), $"{port}"]),
        _ => Deadline.UntilAsync(TimeSpan.FromSeconds(60), async () => (await _workspace.RunAsync("topics", "list", "--bootstrap", $"127.0.0.1:{port}")).Status == 0, () => "Kafka does not answer"));
}
