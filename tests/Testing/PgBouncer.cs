using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using LogPipeline.Testing.Network;

namespace LogPipeline.Testing;

/// <summary>
/// A PgBouncer in front of a server, in transaction mode: each transaction may get another of its few connections. Ended and removed on disposal.
/// </summary>
public sealed class PgBouncer : IAsyncDisposable
{
    private static readonly string[] Programs = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"];

    private readonly string _directory;
    private readonly Process _process;

    private PgBouncer(string directory, Process process, int port) => (_directory, _process, Port) = (directory, process, port);

    public int Port { get; }

    /// <summary>The program, or null when it is not installed.</summary>
    public static string? FindProgram() => Programs.FirstOrDefault(File.Exists);

    public static async Task<PgBouncer> StartAsync(PostgresServer server, int connectionsMax)
    {
        string program = FindProgram() ?? throw new InvalidOperationException("PgBouncer is not installed: apt-get install pgbouncer");
        string directory = Directory.CreateTempSubdirectory("logpipe-pooler-").FullName;
        int port = Ports.Free();
        string settings = Path.Combine(directory, "pgbouncer.ini");
        string users = Path.Combine(directory, "users.txt");
        await File.WriteAllTextAsync(users, "\"postgres\" \"\"\n");
        await File.WriteAllTextAsync(settings, string.Create(CultureInfo.InvariantCulture, $"""
            [databases]
            * = host=127.0.0.1 port={server.Port}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = trust
            auth_file = {users}
            pool_mode = transaction
            default_pool_size = {connectionsMax}
            ignore_startup_parameters = extra_float_digits

            """));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(directory, (UnixFileMode)0b111_101_101);
        }
        // The program refuses root.
        string[] user = Environment.UserName == "root" ? ["-u", "postgres"] : [];
        Process process = Process.Start(new ProcessStartInfo(program, ["-q", .. user, settings]) { WorkingDirectory = "/" })!;
        var pooler = new PgBouncer(directory, process, port);
        while (!await pooler.AnswersAsync())
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException($"pgbouncer ended with {process.ExitCode}");
            }
            await Task.Delay(20);
        }
        return pooler;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
