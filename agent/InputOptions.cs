using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Shaping.Redaction;
using LogPipeline.Agent.Sources;

namespace LogPipeline.Agent;

/// <summary>One input: which files, and where their lines go.</summary>
public sealed record InputOptions
{
    /// <summary>Where the configuration has it, such as <c>logpipe.yaml:12</c>; empty when nothing is known of that.</summary>
    public string Origin { get; init; } = "";

    /// <summary>Where its exclusions stand.</summary>
    public string ExcludeOrigin { get; init; } = "";

    /// <summary>What is read where that is no file; null = the files that the paths name.</summary>
    public SourceOptions? Source { get; init; }

    /// <summary>Absolute paths; <c>*</c>, <c>?</c> and <c>[a-z]</c> match within a name, <c>**</c> matches any directories, <c>{a,b}</c> either.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>Patterns left out; one without a slash is compared with the file's name alone.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>The topic, or a template of it that gives each file its own: <c>{host}</c>, <c>{name}</c>, <c>{dir}</c>, <c>{1}</c> to <c>{9}</c>.</summary>
    public string Topic { get; init; } = "";

    /// <summary>Where a file that is there at the input's first start is read from.</summary>
    public ReadFrom ReadFrom { get; init; } = ReadFrom.Beginning;

    public RecordKey Key { get; init; } = RecordKey.None;

    /// <summary>A longer line becomes parts of this size.</summary>
    public int MaxLineBytes { get; init; } = 512 << 10;

    public PartitionRule Partition { get; init; } = PartitionRule.File;

    public TextEncoding Encoding { get; init; } = TextEncoding.Auto;

    /// <summary>Whether lines are unwrapped that a container's runtime wrote.</summary>
    public LineFormat Format { get; init; } = LineFormat.Plain;

    /// <summary>How lines are joined; null = each is a record.</summary>
    public MultilineOptions? Multiline { get; init; }

    /// <summary>Where there are any, only lines are sent that one of them matches.</summary>
    public IReadOnlyList<LinePattern> Include { get; init; } = [];

    /// <summary>Lines that one of them matches are left out.</summary>
    public IReadOnlyList<LinePattern> ExcludeLines { get; init; } = [];

    /// <summary>What is replaced before a line leaves the host, in this order.</summary>
    public IReadOnlyList<IRedaction> Redact { get; init; } = [];

    /// <summary>Of each file; null = none.</summary>
    public RateLimit? RateLimit { get; init; }

    /// <summary>Further headers of each record.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Labels { get; init; } = [];

    /// <summary>With <see cref="RecordKey.Pattern"/>: what a line's key is taken by.</summary>
    public LinePattern? KeyPattern { get; init; }

    /// <summary>In which form lines say their time; none: the time at which they are read, or that their container's runtime says.</summary>
    public TimeForm Timestamp { get; init; } = TimeForm.None;
}

/// <summary>Where a file's first read begins.</summary>
public enum ReadFrom
{
    Beginning,
    End,
}

/// <summary>What a record's key is.</summary>
public enum RecordKey
{
    None,
    Host,
    File,

    /// <summary>What a regular expression finds in the line.</summary>
    Pattern,
}

/// <summary>What a file's partition is chosen by; the choice is made once and kept.</summary>
public enum PartitionRule
{
    /// <summary>Host and path: files spread over partitions, each in order.</summary>
    File,

    /// <summary>The host alone: all its files in one partition.</summary>
    Host,
}
