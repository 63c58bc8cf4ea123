using System.Diagnostics;
using System.Globalization;
using LogPipeline.Testing.Network;

namespace LogPipeline.Testing;

/// <summary>
/// A private PostgreSQL on a free port of 127.0.0.1, its data in a temporary directory, stopped and removed on disposal. Run by
/// root it drops to the user postgres, since the server refuses root.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private readonly string _directory;
    private readonly string _binaries;

    private PostgresServer(string directory, string binaries, int port)
    {
        (_directory, _binaries, Port) = (directory, binaries, port);
    }

    public int Port { get; }

    /// <summary>Where the server's programs are, or null when PostgreSQL is not installed.</summary>
    public static string? FindBinaries()
    {
        const string versions = "/usr/lib/postgresql";
        if (!Directory.Exists(versions))
        {
            return null;
        }
        return Directory.GetDirectories(versions).OrderByDescending(d => d, StringComparer.Ordinal)
            .Select(d => Path.Combine(d, "bin")).FirstOrDefault(b => File.Exists(Path.Combine(b, "postgres")));
    }

    /// <param name="settings">Extra <c>name=value</c> for the server; by default it syncs nothing to be quick.</param>
    public static async Task<PostgresServer> StartAsync(params string[] settings)
    {
        string binaries = FindBinaries() ?? throw new InvalidOperationException("PostgreSQL is not installed: apt-get install postgresql");
        string directory = Directory.CreateTempSubdirectory("logpipe-pg-").FullName;
        if (Environment.UserName == "root")
        {
            await RunAsync("chown", "postgres", directory);
        }
        var server = new PostgresServer(directory, binaries, Ports.Free());
        await server.RunAsOwnerAsync("initdb", "-D", server.Data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync");
        // Autovacuum would go round all databases that tests have used, which takes a third of a core.
        string[] all = settings.Length > 0 ? settings : ["fsync=off", "synchronous_commit=off", "autovacuum=off"];
        // Each database that a test used leaves idle connections in a pool of Npgsql's for five minutes.
        await File.AppendAllLinesAsync(Path.Combine(server.Data, "postgresql.conf"),
            ["listen_addresses = '127.0.0.1'", "max_connections = 500", $"port = {server.Port}", $"unix_socket_directories = '{directory}'", .. all]);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>A connection string for Npgsql.</summary>
    public string Connection(string database = "postgres", string user = "postgres") =>
        $"Host=127.0.0.1;Port={Port};Database={database};Username={user};Timeout=5";

    /// <summary>Starts the server after <see cref="StopAsync"/> or <see cref="Kill"/>; it answers when the task is done.</summary>
    public Task StartAgainAsync() => RunAsOwnerAsync("pg_ctl", "-D", Data, "-l", Path.Combine(_directory, "server.txt"), "-w", "-t", "60", "start");

    /// <summary>Ends all sessions and stops.</summary>
    public Task StopAsync() => RunAsOwnerAsync("pg_ctl", "-D", Data, "-m", "fast", "-w", "stop");

    /// <summary>kill -9 of the server; its children notice and end, recovery runs at the next start.</summary>
    public void Kill()
    {
        int pid = int.Parse(File.ReadLines(Path.Combine(Data, "postmaster.pid")).First(), CultureInfo.InvariantCulture);
        using var process = Process.GetProcessById(pid);
        process.Kill();
        process.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Data, "postmaster.pid")))
        {
            await RunAsOwnerAsync("pg_ctl", "-D", Data, "-m", "immediate", "-w", "stop");
        }
        Directory.Delete(_directory, recursive: true);
    }

    private string Data => Path.Combine(_directory, "data");

    private Task RunAsOwnerAsync(string program, params string[] arguments)
    {
        string path = Path.Combine(_binaries, program);
        return Environment.UserName == "root"
            ? RunAsync("runuser", ["-u", "postgres", "--", path, .. arguments])
            : RunAsync(path, arguments);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        // The server inherits its starter's pipes and keeps them open: output is not read to its end.
        using Process process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "exec \"$0\" \"$@\" >/dev/null 2>&1 </dev/null", program, .. arguments])
        {
            WorkingDirectory = "/",
        })!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}");
        }
    }
}
