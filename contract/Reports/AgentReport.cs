using System.Text.Json.Serialization;

namespace LogPipeline.Contract.Reports;

/// <summary>
/// What an agent says of itself: the answer to <c>GET /files</c> on its admin address, and the value of its record in the status topic, whose
/// key is the agent id. JSON with names in snake case; times are milliseconds since 1970, rates bytes a second.
/// </summary>
public sealed record AgentReport
{
    public string AgentId { get; init; } = "";

    public string Host { get; init; } = "";

    public string Version { get; init; } = "";

    public string StateDirectory { get; init; } = "";

    /// <summary>When this was put together.</summary>
    public long Time { get; init; }

    /// <summary>One of <see cref="AgentStates"/>; null where it is not known.</summary>
    public string? State { get; init; }

    /// <summary>When the agent began to serve.</summary>
    public long Started { get; init; }

    /// <summary>What keeps the agent from doing all it should; empty when all is well.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>Files that are followed, those included that are read to their end.</summary>
    public int FilesFollowed { get; init; }

    /// <summary>Files held open.</summary>
    public int FilesOpen { get; init; }

    /// <summary>Files with unread lines that could not be held open.</summary>
    public int FilesWaiting { get; init; }

    /// <summary>Bytes of all files that are not acked.</summary>
    public long LagBytes { get; init; }

    /// <summary>Bytes of files acked in a second, over the last ten seconds or so.</summary>
    public double Rate { get; init; }

    /// <summary>The highest such rate since the start.</summary>
    public double RateMax { get; init; }

    /// <summary>Records acked since the start.</summary>
    public long AckedRecords { get; init; }

    /// <summary>Bytes of record batches acked since the start, compressed.</summary>
    public long AckedBytes { get; init; }

    /// <summary>Records that a broker refused for good, of all files that are remembered.</summary>
    public long DeadLetters { get; init; }

    /// <summary>Files of which lines are in no record though no filter names them, the newest; perhaps not all of them.</summary>
    public IReadOnlyList<LeftOutReport> LeftOut { get; init; } = [];

    /// <summary>Bytes known to have been cut or deleted before they were read, of all files that are remembered.</summary>
    public long LostBytes { get; init; }

    /// <summary>Files, those that are most behind first; perhaps not all of them.</summary>
    public IReadOnlyList<FileReport> Files { get; init; } = [];

    [JsonIgnore]
    public bool IsWell => Problems.Count == 0;
}

/// <summary>One file as an agent knows it; a file that two topics get is reported twice.</summary>
public sealed record FileReport
{
    /// <summary>The path it was last seen by.</summary>
    public string Path { get; init; } = "";

    /// <summary>The name of what it is the spool of, such as <c>stdin</c>; null for a file that an input names. It is the header <c>file</c> then.</summary>
    public string? Source { get; init; }

    /// <summary>The path it was first seen by, which is the header <c>file</c>.</summary>
    public string FirstPath { get; init; } = "";

    public string Topic { get; init; } = "";

    /// <summary>-1 while the topic's partitions are not known.</summary>
    public int Partition { get; init; } = -1;

    /// <summary>16 hexadecimal digits; empty for a file that is not followed.</summary>
    public string Generation { get; init; } = "";

    /// <summary>Live, rotated, finished or gone; empty for a file that is not followed.</summary>
    public string Phase { get; init; } = "";

    /// <summary>What becomes of it now: one of <see cref="FileStates"/>.</summary>
    public string State { get; init; } = "";

    /// <summary>Why it is not read; null when it is, or there is nothing to read.</summary>
    public string? Reason { get; init; }

    /// <summary>What the file system's identity is, as the agent sees it.</summary>
    public string FileSystem { get; init; } = "";

    public ulong Inode { get; init; }

    /// <summary>When the file was made; nanoseconds since 1970, 0 where the file system does not say.</summary>
    public long Birth { get; init; }

    public long Size { get; init; }

    /// <summary>Position up to which it was read.</summary>
    public long Read { get; init; }

    /// <summary>Position up to which it is acked.</summary>
    public long Acked { get; init; }

    /// <summary>Bytes that are not acked.</summary>
    public long LagBytes { get; init; }

    /// <summary>How long the oldest of them has been there, at least.</summary>
    public double LagSeconds { get; init; }

    public double Rate { get; init; }

    /// <summary>When its phase was entered.</summary>
    public long PhaseSince { get; init; }
}

/// <summary>The words of <see cref="AgentReport.State"/>. An agent that was killed says neither.</summary>
public static class AgentStates
{
    public const string Running = "running";

    /// <summary>It was told to stop and did.</summary>
    public const string Stopped = "stopped";
}

/// <summary>The words of <see cref="FileReport.State"/>.</summary>
public static class FileStates
{
    /// <summary>All of it is acked, up to its last line feed.</summary>
    public const string Current = "current";

    /// <summary>It is being read, or its batches are under way.</summary>
    public const string Reading = "reading";

    /// <summary>Something holds it up, which the reason says.</summary>
    public const string Waiting = "waiting";

    /// <summary>The disk refuses it.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>It is over: read to its end after a rotation, cut, or gone.</summary>
    public const string Over = "over";
}
