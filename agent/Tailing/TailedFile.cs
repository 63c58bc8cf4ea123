using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>A generation that is followed: its handle and what the last look at it saw.</summary>
internal sealed class TailedFile(Generation generation, InputOptions input, LineHeaders headers)
{
    public Generation Generation => generation;

    public InputOptions Input => input;

    public LineHeaders Headers => headers;

    /// <summary>Null while nothing is to be read, or the file cannot be opened.</summary>
    public IFile? Handle { get; set; }

    public LogShipper? Log { get; set; }

    /// <summary>The file that its path named before: read to its end first.</summary>
    public TailedFile? Predecessor { get; set; }

    public long Size { get; set; }

    public long ModifiedTime { get; set; }

    /// <summary>When a change was last seen: a timestamp, since the wall clock jumps.</summary>
    public long ChangedAt { get; set; }

    /// <summary>Position up to which no line feed follows the read position.</summary>
    public long ScannedUntil { get; set; }

    /// <summary>Whether it waits in the read loop's queue.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Whether what follows the last line feed is to be sent as it is: the generation is over.</summary>
    public bool TakeRest { get; set; }

    public bool WasSeen { get; set; }

    /// <summary>Whether it could not be compared yet with what the last run read of it: nothing is read of it before.</summary>
    public bool IsUnproved { get; set; }

    /// <summary>Whether the last try to read it failed: it keeps nobody waiting then.</summary>
    public bool IsFailing { get; set; }

    public long Unread => Size - generation.Read.Position;

    /// <summary>Whether all lines that are whole are read.</summary>
    public bool IsAtEnd => Unread <= 0 || (ScannedUntil >= Size && !TakeRest);

    public bool IsReadable =>
        generation is { IsDurable: true, IsOver: false } && Log is not null && !IsUnproved && Predecessor is not { IsAtEnd: false, IsFailing: false };

    public void Close()
    {
        Handle?.Dispose();
        Handle = null;
    }
}
