using System.Globalization;
using LogPipeline.Agent;
using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Shaping.Redaction;
using LogPipeline.Agent.State;
using LogPipeline.Files;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Machines;
using LogPipeline.Simulation.Network;
using LogPipeline.Simulation.Sources;
using LogPipeline.Simulation.Workload;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation.Parts;

/// <summary>An agent process on an application server.</summary>
internal sealed class AgentPart
{
    public const string State = "/agent";

    /// <summary>A longer line is cut into parts.</summary>
    public const int LineBytesMax = 1024;

    private readonly SimNetwork _network;
    private AgentService? _service;
    private TimeSpan? _startedAt;
    private TimeSpan? _readyAt;

    /// <summary>When a life ended that was up for long enough to have seen all files; null when none was.</summary>
    private TimeSpan? _heldUntil;

    private TimeSpan _endedAt;

    public AgentPart(Machine machine, SimNetwork network, string name)
    {
        _network = network;
        Part = new Part(machine, name, RunAsync) { Describe = Describe };
        Options = new AgentOptions
        {
            Bootstrap = [$"{BrokerPart.Host}:{BrokerPart.Port}"],
            StateDirectory = State,
            Host = machine.Name,
            MachineId = $"machine of {machine.Name}",
            BatchBytes = 2048,
            // Small, so that files roll over and a run moves few bytes.
            InflightSegmentBytes = 64 << 10,
            Compression = BatchCompression.None,
            Inputs = [ShapeOf(machine.World.Seed, new InputOptions { Paths = [$"{AppServer.Logs}/*.log*"], Topic = Story.Topic, MaxLineBytes = LineBytesMax })],
        };
        if (machine.World.Seed % 5 == 2)
        {
            // A broker that is away soon stops the reading: then what is deleted meanwhile is kept compressed.
            Options = Options with { UnackedBytesMax = 1, DeletedBytesKept = 0, RotatedQuiet = TimeSpan.FromMilliseconds(200) };
        }
    }

    /// <summary>
    /// In some stories lines are decoded, cut only where a redaction allows, empty ones left out, or each waits for the next, which might belong to it; or each file gets its topic by a
    /// template, which gives all the same. The seed alone decides, so that the other stories stay as they are.
    /// </summary>
    private static InputOptions ShapeOf(ulong seed, InputOptions input) => (seed % 8) switch
    {
        1 => input with { Paths = [$"{AppServer.Logs}/*.l[o]g*"], Topic = Story.Topic.Replace("lo", "l{2}", StringComparison.Ordinal) },
        3 => input with { Encoding = TextEncoding.Latin1 },
        4 => input with { Redact = [new PatternRedaction(new LinePattern("~secret~"), "")] },
        5 => input with { ExcludeLines = [new LinePattern("^$")] },
        7 => input with { Multiline = new MultilineOptions { Continue = new LinePattern("^~") } },
        _ => input,
    };

    public Part Part { get; }

    public AgentOptions Options { get; set; }

    /// <summary>Wraps the file system of each life: where a planted fault sits.</summary>
    public Func<IFileSystem, IFileSystem> WrapFiles { get; set; } = static files => files;

    /// <summary>What it reads beside files; mostly nothing.</summary>
    public SourceHost? Sources { get; set; }

    /// <summary>Whose state directory it finds at its first start, as it is at that moment.</summary>
    public Machine? ClonedFrom { get; init; }

    /// <summary>Whether a start since the machine's boot compared all files, and its registry says so.</summary>
    public bool HasComparedFiles()
    {
        try
        {
            return Registry.Load(new MemoryFileSystem(Part.Machine.Disk), $"{State}/registry")?.BootId == BootId;
        }
        catch (StateDamagedException)
        {
            // A copied one that lost its end with the power.
            return false;
        }
    }

    /// <summary>Called when a life of the agent ends, and with it the handles that it has.</summary>
    public Action? Ended { get; set; }

    /// <summary>Whether the agent has been up for so long.</summary>
    public bool IsUpFor(TimeSpan time) => _service is not null && _startedAt is { } since && Part.Machine.World.Now - since > time;

    /// <summary>Whether a life of the agent became ready after a moment, or is about to.</summary>
    public bool HasStartedAfter(TimeSpan moment) => IsStarting || _readyAt >= moment;

    /// <summary>Whether a life of the agent was ever ready.</summary>
    public bool WasReady => _readyAt is not null;

    /// <summary>Whether a life of the agent is there that is not ready yet.</summary>
    public bool IsStarting => _service is not null && _startedAt is null;

    /// <summary>Whether no life of the agent is there, and the next one finds a file that is compressed now: one that an earlier one had seen, or that was written to since.</summary>
    public bool FindsArchive(LogFile file) =>
        _service is null && _heldUntil is { } held && (file.MadeAt + AppServer.SeenAfter < held || file.Lines.Exists(line => line.WrittenAt > _endedAt));

    private string BootId => Part.Machine.BootCount.ToString(CultureInfo.InvariantCulture);

    private async Task RunAsync(Life life)
    {
        if (ClonedFrom is { } original && Part.LifeCount == 1)
        {
            CopyState(original);
        }
        AgentOptions options = Options with { BootId = BootId };
        if (Sources is { } sources)
        {
            options = options with { Inputs = [.. options.Inputs, .. sources.Inputs()] };
        }
        var service = new AgentService(
            options,
            WrapFiles(Part.Machine.Attach(life)),
            new SimConnector(_network, life),
            life.Time,
            life.Random,
            new TraceLogger(Part),
            life.Fatal)
        {
            MakeSource = source => Sources!.Make(source, life, new TraceLogger(Part)),
        };
        (_service, _startedAt) = (service, null);
        life.AtDeath(() =>
        {
            LetGo();
            _service = null;
            service.Abandon();
        });
        try
        {
            await service.StartAsync(life.Stopping);
            _startedAt = _readyAt = Part.Machine.World.Now;
            await Task.Delay(Timeout.InfiniteTimeSpan, life.Time, life.Stopping);
        }
        catch (OperationCanceledException) when (life.Stopping.IsCancellationRequested)
        {
            LetGo();
            _startedAt = null;
            await service.StopAsync(TimeSpan.FromSeconds(4));
            Sources?.Stopped();
        }
    }

    private void LetGo()
    {
        _endedAt = Part.Machine.World.Now;
        _heldUntil = IsUpFor(AppServer.SeenAfter) ? _endedAt : _heldUntil;
        Ended?.Invoke();
    }

    private void CopyState(Machine original) => CopyFolder(new MemoryFileSystem(original.Disk), new MemoryFileSystem(Part.Machine.Disk), State);

    private static void CopyFolder(MemoryFileSystem from, MemoryFileSystem to, string folder)
    {
        to.CreateDirectory(folder);
        foreach (DirectoryEntry entry in from.List(folder))
        {
            string path = $"{folder}/{entry.Name}";
            if (entry.IsDirectory)
            {
                CopyFolder(from, to, path);
                continue;
            }
            using IFile source = from.Open(path, FileOpenMode.Read);
            using IFile copy = to.Open(path, FileOpenMode.CreateNew);
            byte[] bytes = new byte[source.Length];
            source.Read(bytes, 0);
            copy.Write(bytes, 0);
            copy.Flush();
        }
        to.FlushDirectory(folder);
    }

    private string Describe() =>
        _service is { } service ? $"follows {service.FilesFollowed} files, caught up: {service.IsCaughtUp}" : "is down";
}
