using System.Diagnostics;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Testing.Network;

namespace LogPipeline.Client.Tests.Interop;

/// <summary>
/// An Apache Kafka of our own for the tests of one version: found in <c>LOGPIPE_PEERS</c> or in <c>../shared/peers</c> beside the repository. Where
/// it (or Java) is missing, <see cref="Missing"/> says so and the tests report themselves skipped. <c>LOGPIPE_BOOTSTRAP</c> (host:port) names
/// any running broker to test against instead.
/// </summary>
public sealed class KafkaPeer : IAsyncLifetime, IDisposable
{
    private readonly Process? _process;
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"logpipe-kafka-{Environment.ProcessId}-{Path.GetRandomFileName()}");

    public KafkaPeer(string version)
    {
        string? script = Script();
        if (Running is not null || script is null)
        {
            Bootstrap = Running ?? "";
            return;
        }
        int port = Ports.Free(2); // the one above it is the controller's
        var start = new ProcessStartInfo("/bin/bash", [script, version, "start", _directory, $"{port}"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["KAFKA_HEAP_OPTS"] = "-Xmx512M -Xms256M";
        _process = Process.Start(start)!;
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Bootstrap = $"127.0.0.1:{port}";
    }

    private static string? Running => Environment.GetEnvironmentVariable("LOGPIPE_BOOTSTRAP");

    /// <summary>Why the tests cannot run; null when they can.</summary>
    public static string? Missing { get; } = Running is null && Script() is null
        ? "SKIPPED: Apache Kafka is not here. Set LOGPIPE_PEERS to a directory with kafka.sh, and install Java 17."
        : null;

    public string Bootstrap { get; } = "";

    /// <summary>Done when it answers: on a busy machine its start takes longer than a test has.</summary>
    public async Task InitializeAsync()
    {
        if (_process is null)
        {
            return;
        }
        await using var cluster = new ClusterClient(
            new ClientOptions { Bootstrap = [Bootstrap], LookupTimeout = TimeSpan.FromMinutes(10) }, new TcpConnector(), TimeProvider.System, new Random(1));
        await new AdminClient(cluster).DescribeClusterAsync(default);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
            _process.Dispose();
            Directory.Delete(_directory, recursive: true);
        }
    }

    private static string? Script()
    {
        string? named = Environment.GetEnvironmentVariable("LOGPIPE_PEERS");
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "LogPipeline.sln")))
        {
            root = root.Parent;
        }
        string script = Path.Combine(named ?? Path.Combine(root?.Parent?.FullName ?? "/", "shared", "peers"), "kafka.sh");
        return File.Exists(script) && File.Exists("/usr/bin/java") ? script : null;
    }
}

/// <summary>Skips loudly where Apache Kafka is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KafkaFactAttribute : FactAttribute
{
    public KafkaFactAttribute() => Skip = KafkaPeer.Missing;
}

public sealed class Kafka42 : IDisposable
{
    public KafkaPeer Peer { get; } = new("4.2");

    public void Dispose() => Peer.Dispose();
}

public sealed class Kafka39 : IDisposable
{
    public KafkaPeer Peer { get; } = new("3.9");

    public void Dispose() => Peer.Dispose();
}
