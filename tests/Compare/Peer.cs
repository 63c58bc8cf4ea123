using System.Diagnostics;
using System.Globalization;
using System.Net;
using LogPipeline.Broker;
using LogPipeline.Testing.Network;

namespace LogPipeline.Compare;

/// <summary>A broker that is asked: ours in this process, or Apache Kafka in a process of its own. Its data goes with it.</summary>
internal sealed class Peer : IAsyncDisposable
{
    private static readonly TimeSpan StartMax = TimeSpan.FromMinutes(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("logpipe-compare-").FullName;
    private Broker.Broker? _ours;
    private Process? _kafka;

    private Peer()
    {
    }

    public IPEndPoint Endpoint { get; private set; } = new(IPAddress.Loopback, 0);

    /// <summary>Starts ours with the settings that the peers' Kafka has.</summary>
    public static async Task<Peer> StartOursAsync()
    {
        var peer = new Peer();
        peer._ours = await Broker.Broker.StartAsync(new BrokerOptions
        {
            DataDirectory = Path.Combine(peer._folder, "data"),
            Listen = "127.0.0.1:0",
            Settings = new Dictionary<string, string> { ["group.initial.rebalance.delay.ms"] = "0", ["num.partitions"] = "1" },
        });
        peer.Endpoint = peer._ours.Endpoint;
        return peer;
    }

    /// <summary>Starts Apache Kafka by the peers' script; it answers on return.</summary>
    /// <exception cref="IOException">It did not answer in time.</exception>
    public static async Task<Peer> StartKafkaAsync(string peers, string version)
    {
        var peer = new Peer { Endpoint = new IPEndPoint(IPAddress.Loopback, Ports.Free(2)) };
        var start = new ProcessStartInfo(Path.Combine(peers, "kafka.sh"), [version, "start", Path.Combine(peer._folder, "kafka"), peer.Endpoint.Port.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["KAFKA_HEAP_OPTS"] = "-Xmx512M -Xms128M" },
        };
        peer._kafka = Process.Start(start)!;
        peer._kafka.OutputDataReceived += static (_, _) => { };
        peer._kafka.ErrorDataReceived += static (_, _) => { };
        peer._kafka.BeginOutputReadLine();
        peer._kafka.BeginErrorReadLine();
        long began = Stopwatch.GetTimestamp();
        while (!await Link.AnswersAsync(peer.Endpoint))
        {
            if (peer._kafka.HasExited || Stopwatch.GetElapsedTime(began) > StartMax)
            {
                await peer.DisposeAsync();
                throw new IOException($"Kafka {version} does not answer on {peer.Endpoint}.");
            }
            await Task.Delay(TimeSpan.FromMilliseconds(250));
        }
        return peer;
    }

    public async ValueTask DisposeAsync()
    {
        if (_ours is not null)
        {
            await _ours.DisposeAsync();
        }
        if (_kafka is { HasExited: false })
        {
            _kafka.Kill(entireProcessTree: true);
            await _kafka.WaitForExitAsync();
        }
        _kafka?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
