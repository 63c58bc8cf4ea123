using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using LogPipeline.Testing.Network;

namespace LogPipeline.Benchmarks.Broker;

/// <summary>A broker in a process of its own on a free port of this machine: ours, or Apache Kafka.</summary>
internal sealed class BrokerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    private BrokerProcess(string name, int port, string folder, Process process)
    {
        (Name, Endpoint, _folder, _process) = (name, new IPEndPoint(IPAddress.Loopback, port), folder, process);
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
    }

    public string Name { get; }

    public IPEndPoint Endpoint { get; }

    public double CpuSeconds
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime.TotalSeconds;
        }
    }

    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Ours, with its defaults: an answer means fsynced.</summary>
    public static Task<BrokerProcess> StartOursAsync()
    {
        string program = Path.Combine(AppContext.BaseDirectory, "..", "..", "LogPipeline.Cli", "release", "logpipe");
        return StartAsync("LogPipeline", program, (folder, port) => ["broker", "--data", folder, "--listen", $"127.0.0.1:{port}", "--log-level", "warning"]);
    }

    /// <summary>Apache Kafka with its defaults, which do not fsync; null where it is not installed ($LOGPIPE_PEERS, else ../shared/peers).</summary>
    public static async Task<BrokerProcess?> TryStartKafkaAsync()
    {
        string peers = Environment.GetEnvironmentVariable("LOGPIPE_PEERS") ?? Path.Combine("..", "shared", "peers");
        string script = Path.GetFullPath(Path.Combine(peers, "kafka.sh"));
        return File.Exists(script)
            ? await StartAsync("Apache Kafka 4.2", script, (folder, port) => ["4.2", "start", folder, $"{port}"])
            : null;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<BrokerProcess> StartAsync(string name, string program, Func<string, int, string[]> arguments)
    {
        string folder = Directory.CreateTempSubdirectory("logpipe-bench-").FullName;
        int port = Ports.Free();
        Process process = Process.Start(new ProcessStartInfo(program, arguments(folder, port)) { RedirectStandardOutput = true })!;
        var broker = new BrokerProcess(name, port, folder, process);
        while (!await broker.ListensAsync())
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException($"{name} did not start");
            }
            await Task.Delay(200);
        }
        return broker;
    }

    private async Task<bool> ListensAsync()
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(Endpoint);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
