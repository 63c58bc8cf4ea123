using System.Diagnostics;
using LogPipeline.Testing;
using LogPipeline.Testing.Network;
using Npgsql;

namespace LogPipeline.Benchmarks.Whole;

/// <summary>Broker, agent and sink as processes of their own, and a private PostgreSQL, for figures of the whole.</summary>
internal sealed class Pipeline : IAsyncDisposable
{
    private readonly PostgresServer _postgres;
    private readonly NpgsqlDataSource _rows;
    private readonly List<(string Name, Process Process)> _processes = [];

    private Pipeline(PostgresServer postgres, string folder, string parser)
    {
        (_postgres, Folder) = (postgres, folder);
        _rows = NpgsqlDataSource.Create(postgres.Connection());
        string broker = $"127.0.0.1:{Ports.Free()}";
        File.WriteAllText(Path.Combine(folder, "logpipe.yaml"), $$"""
            broker: { data: ./broker, listen: {{broker}}, settings: { num.partitions: 1 } }
            agent:
              bootstrap: {{broker}}
              state: ./agent
              inputs: [{ paths: ["./access.log*"], topic: web_log }]
            sinks:
              - name: web_log
                bootstrap: {{broker}}
                topics: [web_log]
                parser: {{parser}}
                postgres: { connection: "{{postgres.Connection()}}" }
            """);
    }

    public string Folder { get; }

    public string AccessLog => Path.Combine(Folder, "access.log");

    public static async Task<Pipeline> CreateAsync(string parser = "combined")
        => new(await PostgresServer.StartAsync("shared_buffers=512MB", "max_wal_size=8GB"), Directory.CreateTempSubdirectory("logpipe-bench-").FullName, parser);

    /// <summary>Starts a verb and waits for its line <c>ready:</c>.</summary>
    public async Task StartAsync(string verb)
    {
        // `./test bench` names what it has compiled ahead, as the packages are.
        string? agent = verb == "agent" ? Environment.GetEnvironmentVariable("LOGPIPE_AGENT_PROGRAM") : null;
        string program = agent ?? Environment.GetEnvironmentVariable("LOGPIPE_PROGRAM") ?? Path.Combine(AppContext.BaseDirectory, "..", "..", "LogPipeline.Cli", "release", "logpipe");
        string[] arguments = [agent is null ? verb : "run", "--config", "logpipe.yaml", "--log-level", "warning"];
        Process process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = Folder, RedirectStandardOutput = true })!;
        _processes.Add((verb, process));
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("ready:", StringComparison.Ordinal))
            {
                return;
            }
        }
        throw new InvalidOperationException($"{verb} did not start");
    }

    /// <summary>The ledger's next offset: with one file in one partition, the number of lines that are rows. It moves with the rows.</summary>
    public async Task<long> StoredAsync()
    {
        await using NpgsqlCommand command = _rows.CreateCommand("SELECT coalesce(max(next_offset), 0) FROM logpipe_logs WHERE topic = 'web_log'");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>CPU seconds and the peak of resident memory of each process.</summary>
    public IEnumerable<(string Name, double CpuSeconds, long PeakBytes)> Costs()
    {
        foreach ((string? name, Process? process) in _processes)
        {
            process.Refresh();
            yield return (name, process.TotalProcessorTime.TotalSeconds, process.PeakWorkingSet64);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach ((string _, Process? process) in Enumerable.Reverse(_processes))
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        await _rows.DisposeAsync();
        await _postgres.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
