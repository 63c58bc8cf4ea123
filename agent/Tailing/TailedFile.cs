using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Contract;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>A generation that is followed: its handle and what the last look at it saw. Owned by the agent's loop.</summary>
/// <param name="generation">What it is.</param>
/// <param name="input">The input that has it.</param>
/// <param name="headers">The headers of its records.</param>
/// <param name="templates">What inputs write as their topic that give it the topic that it has.</param>
internal sealed class TailedFile(Generation generation, InputOptions input, LineHeaders headers, IReadOnlyList<string> templates)
{
    private FileState _state = FileState.Resting;
    private LineHeaders? _outHeaders;
    private LineHeaders? _errorHeaders;

    public Generation Generation => generation;

    public InputOptions Input => input;

    /// <summary>What inputs write as their topic that give it the topic that it has; empty where they all write that.</summary>
    public IReadOnlyList<string> Templates => templates;

    public LineHeaders Headers => headers;

    /// <summary>The headers of a line of one of a container's outputs.</summary>
    public LineHeaders HeadersOf(LineStream stream) => stream switch
    {
        LineStream.Out => _outHeaders ??= headers.With(PositionHeaders.Stream, "stdout"u8),
        LineStream.Error => _errorHeaders ??= headers.With(PositionHeaders.Stream, "stderr"u8),
        _ => headers,
    };

    /// <summary>What becomes of its lines; null where they are passed on as they are.</summary>
    public FileShape? Shape { get; private set; }

    /// <summary>Whether <see cref="Shape"/> is known: the file's first bytes may decide.</summary>
    public bool IsShapeKnown { get; private set; }

    /// <summary>Null while nothing is to be read, or the file cannot be opened. <see cref="FileHandles"/> sets and counts it.</summary>
    public IFile? Handle { get; set; }

    /// <summary>Where its lines go; null until the topic's partitions are known.</summary>
    public LogShipper? Log { get; set; }

    /// <summary>The file that its path named before: read to its end first. One that is over makes way for its own predecessor.</summary>
    public TailedFile? Predecessor
    {
        get
        {
            while (field is { Generation.IsOver: true } over)
            {
                field = over.Predecessor;
            }
            return field;
        }
        set;
    }

    /// <summary>The nearest file before it that is not read to its end; null when its turn has come. An empty one in between lets nobody overtake.</summary>
    public TailedFile? Awaited
    {
        get
        {
            TailedFile? before = Predecessor;
            while (before is { IsAtEnd: true } or { IsFailing: true })
            {
                before = before.Predecessor;
            }
            return before;
        }
    }

    /// <summary>Files whose turn came before this one, which they await, was read to its end; null when there are none.</summary>
    public HashSet<TailedFile>? Followers { get; set; }

    /// <summary>Where its path led by links when it was found; null when there are none in it.</summary>
    public string? RealPath { get; set; }

    public long Size { get; set; }

    public long ModifiedTime { get; set; }

    /// <summary>When a change was last seen: a timestamp, since the wall clock jumps.</summary>
    public long ChangedAt { get; set; }

    /// <summary>Position up to which no line feed follows the read position.</summary>
    public long ScannedUntil { get; set; }

    /// <summary>Position up to which nothing but NUL follows the read position: a hole, or what a writer reserved.</summary>
    public long NulUntil { get; set; }

    /// <summary>Whether what follows the last line feed is to be sent as it is: the generation is over.</summary>
    public bool TakeRest { get; set; }

    /// <summary>Whether nothing of it was read, or known of its begin, when it was last looked at.</summary>
    public bool WasUnknown { get; set; }

    /// <summary>The number of the look that last found a name of it.</summary>
    public long SeenIn { get; set; } = -1;

    /// <summary>How fast it is sent, noted each second while it is active; null before the first note.</summary>
    public Pace? Pace { get; set; }

    /// <summary>Whether the last try to read it failed: it keeps nobody waiting then.</summary>
    public bool IsFailing { get; set; }

    /// <summary>Whether it could not be compared yet with what the last run read of it: nothing is read of it before.</summary>
    public bool IsUnproved => _state == FileState.Unproved;

    /// <summary>Whether it waits for its turn to be read.</summary>
    public bool IsQueued => _state == FileState.Queued;

    public long Unread => Size - generation.Read.Position;

    /// <summary>Whether all lines that are whole are read.</summary>
    public bool IsAtEnd => Unread <= 0 || (ScannedUntil >= Size && !TakeRest);

    public bool IsReadable => generation is { IsDurable: true, IsOver: false } && Log is not null && !IsUnproved && Awaited is null;

    /// <summary>What becomes of its lines is known.</summary>
    public void Learned(FileShape? shape) => (Shape, IsShapeKnown) = (shape, true);

    /// <summary>Nothing is read of it until <see cref="Proved"/>.</summary>
    public void Doubt() => _state = FileState.Unproved;

    public void Proved() => _state = FileState.Resting;

    /// <summary>True when it is to be put into the queue; false when it is there, or may not be read yet.</summary>
    public bool TryQueue()
    {
        bool queues = _state == FileState.Resting;
        _state = queues ? FileState.Queued : _state;
        return queues;
    }

    /// <summary>Its turn has come.</summary>
    public void Dequeued() => _state = _state == FileState.Queued ? FileState.Resting : _state;

    /// <summary>What lies behind the read position was cut or written anew: it is to be searched again.</summary>
    public void ForgetScan() => ScannedUntil = NulUntil = 0;

    private enum FileState
    {
        Unproved,
        Resting,
        Queued,
    }
}
