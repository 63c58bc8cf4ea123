using System.Text;
using LogPipeline.Agent.Sources;
using LogPipeline.Agent.Tailing;
using LogPipeline.Client.Connections;
using LogPipeline.Contract;
using LogPipeline.Files;
using LogPipeline.Testing.Files;
using LogPipeline.Testing.Logging;
using LogPipeline.Testing.Time;

namespace LogPipeline.Agent.Tests.Scripted;

/// <summary>A machine with a disk in memory, an agent that can be started and killed, and a scripted broker.</summary>
internal sealed class AgentRig : IDisposable
{
    public const string LogPath = "/logs/access.log";

    private AgentService? _agent;
    private MemoryFileSystem? _process;
    private int _starts;

    public AgentRig()
    {
        Disk = new MemoryDisk(Time);
        Machine = new MemoryFileSystem(Disk);
        Machine.CreateDirectory("/logs");
    }

    public ManualTime Time { get; } = new();

    public MemoryDisk Disk { get; }

    /// <summary>The view of those who write the files.</summary>
    public MemoryFileSystem Machine { get; }

    public ScriptedBroker Broker { get; } = new();

    public AgentService Agent => _agent!;

    /// <summary>Lines of the log at warning or above, over all starts.</summary>
    public WarningLog Log { get; } = new();

    /// <summary>Called before each file call of the agent.</summary>
    public Action<FileCall>? BeforeFileCall { get; set; }

    /// <summary>How long a flush of the agent takes that does not block it; null = no time.</summary>
    public Func<FileCall, Task>? FlushDelay { get; set; }

    /// <summary>Says which reads of the agent meet a disk that fails; null = none.</summary>
    public Func<FileCall, bool>? FailingRead { get; set; }

    /// <summary>Names the file system that a path is on, as the agent is told it from its next start on; null = the disk's own.</summary>
    public Func<string, string?>? MountOf { get; set; }

    /// <summary>Hints of changed files; without it there are only sweeps.</summary>
    public IFileWatch? Watch { get; set; }

    /// <summary>Makes the sources of inputs that are no files.</summary>
    public Func<SourceOptions, ILineSource>? MakeSource { get; set; }

    /// <summary>Called when all that the sources gave is acked, and they have ended.</summary>
    public Action? SourcesSent { get; set; }

    public Exception? Fault { get; private set; }

    /// <summary>What ended the agent, where a test wants that.</summary>
    public Exception? TakeFault()
    {
        (Exception? fault, Fault) = (Fault, null);
        return fault;
    }

    public AgentOptions Options { get; set; } = new()
    {
        Bootstrap = ["scripted:9092"],
        StateDirectory = "/state",
        Host = "h1",
        MachineId = "m1",
        BootId = "b1",
        Inputs = [new InputOptions { Paths = ["/logs/*.log"], Topic = "t", MaxLineBytes = 1024 }],
        SweepInterval = TimeSpan.FromMilliseconds(2),
        RotatedQuiet = TimeSpan.FromMilliseconds(30),
        CopyWait = TimeSpan.FromMilliseconds(200),
        RegistryInterval = TimeSpan.FromMilliseconds(5),
        BatchBytes = 4096,
        Linger = TimeSpan.FromMilliseconds(1),
        RequestTimeout = TimeSpan.FromSeconds(5),
    };

    /// <summary>Runs a test on one thread, as the agent demands, and under the rig's own clock.</summary>
    public static void OnOneThread(Func<AgentRig, Task> test)
    {
        using var rig = new AgentRig();
        OneThread.Run(rig.Time, () => test(rig));
        Assert.Null(rig.Fault);
    }

    public async Task StartAsync()
    {
        var process = new MemoryFileSystem(Disk) { Before = OnFileCall, MountOf = MountOf, FlushDelay = FlushDelay };
        _process = process;
        _agent = new AgentService(
            Options,
            process,
            new MortalConnector(Broker, process),
            Time,
            new Random(++_starts),
            Log,
            fault => Fault ??= process.IsAlive ? fault : null,
            Watch) { MakeSource = MakeSource, SourcesSent = SourcesSent };
        await _agent.StartAsync(CancellationToken.None);
    }

    public async Task StopAsync()
    {
        await _agent!.StopAsync(TimeSpan.FromSeconds(2));
        _agent = null;
    }

    /// <summary>kill -9: what was written stays.</summary>
    public void Kill()
    {
        _process?.Kill();
        Broker.Disconnect();
        _agent?.Abandon();
        _agent = null;
        _process = null;
    }

    public void Dispose() => Kill();

    private void OnFileCall(FileCall call)
    {
        BeforeFileCall?.Invoke(call);
        if (call.Operation == FileOperation.Read && FailingRead?.Invoke(call) == true)
        {
            throw new IOException("Input/output error");
        }
    }

    public void Append(string text, string path = LogPath) => Append(Encoding.UTF8.GetBytes(text), path);

    public void Append(byte[] bytes, string path = LogPath)
    {
        using IFile file = Machine.Open(path, FileOpenMode.ReadWrite);
        file.Write(bytes, file.Length);
    }

    /// <summary>All that a file holds.</summary>
    public byte[] Read(string path)
    {
        using IFile file = Machine.Open(path, FileOpenMode.Read);
        byte[] bytes = new byte[file.Length];
        file.ReadFully(bytes, 0);
        return bytes;
    }

    public void Truncate(string path = LogPath)
    {
        using IFile file = Machine.Open(path, FileOpenMode.ReadWrite);
        file.SetLength(0);
    }

    public async Task UntilAsync(Func<bool> holds, string what)
    {
        long begin = Time.GetTimestamp();
        while (!holds())
        {
            Assert.True(Fault is null, Fault?.ToString());
            Assert.False(Time.GetElapsedTime(begin) > TimeSpan.FromMinutes(2), $"never: {what}; the broker has {Lines().Count} records; {_agent?.Describe()}");
            await PassAsync(TimeSpan.FromMilliseconds(1));
        }
    }

    /// <summary>Lets time pass; it costs none.</summary>
    public Task PassAsync(TimeSpan time) => Task.Delay(time, Time);

    public Task UntilLinesAsync(int count) => UntilAsync(() => Broker.Records().Count >= count && Agent.IsCaughtUp, $"{count} lines");

    public List<string> Lines(string? topic = null) => [.. Broker.Records(topic).Select(r => Encoding.UTF8.GetString(r.Value))];

    /// <summary>What a sink stores: the records marked again only where their range is not stored.</summary>
    public List<string> Stored()
    {
        HashSet<(Guid, ulong, long)> stored = [];
        List<string> lines = [];
        foreach ((RecordPosition position, byte[] value) in Broker.Records())
        {
            bool isNew = stored.Add((position.AgentId, position.Generation, position.End));
            if (isNew || !position.Flags.HasFlag(PositionFlags.Again))
            {
                lines.Add(Encoding.UTF8.GetString(value));
            }
        }
        return lines;
    }
}

/// <summary>The network of one process: gone with it.</summary>
internal sealed class MortalConnector(ScriptedBroker broker, MemoryFileSystem process) : IConnector
{
    public ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken ct) =>
        process.IsAlive ? broker.ConnectAsync(host, port, ct) : throw new IOException("the process is dead");
}
