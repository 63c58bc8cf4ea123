using LogPipeline.Agent.Sources;
using LogPipeline.Agent.Tailing;

namespace LogPipeline.Agent;

/// <summary>All that an agent is told. Defaults are the product's; <see cref="Validate"/> names what is wrong.</summary>
public sealed record AgentOptions
{
    /// <summary>Brokers to ask first, <c>host:port</c>.</summary>
    public IReadOnlyList<string> Bootstrap { get; init; } = [];

    /// <summary>Directory of the agent's own files; one agent at a time holds it.</summary>
    public string StateDirectory { get; init; } = "";

    /// <summary>What is tailed, in order; a file belongs to the first input of each topic that matches it.</summary>
    public IReadOnlyList<InputOptions> Inputs { get; init; } = [];

    /// <summary>The server's name in the header <c>host</c> and in the choice of a file's partition.</summary>
    public string Host { get; init; } = "";

    /// <summary>Identifies the machine: when it changes, the state directory was copied and gets an agent id of its own.</summary>
    public string MachineId { get; init; } = "";

    /// <summary>
    /// Identifies one boot of the host. When it changed since the last start, a tailed file may have lost its unsynced end.
    /// </summary>
    public string BootId { get; init; } = "";

    /// <summary>Bytes of a batch before compression; the broker's <c>max.message.bytes</c> is the limit after it.</summary>
    public int BatchBytes { get; init; } = 1_000_000;

    /// <summary>How long an unfilled batch waits for more lines while others are under way; without any it goes at once.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(5);

    public BatchCompression Compression { get; init; } = BatchCompression.Lz4;

    /// <summary>Batches sent and not yet acked, per partition. At most 5: a broker remembers no more.</summary>
    public int InflightPerPartition { get; init; } = 5;

    /// <summary>Bytes of batches not yet acked, over all partitions: the bound on memory and on the in-flight file.</summary>
    public long UnackedBytesMax { get; init; } = 16 << 20;

    /// <summary>Size to which a file of batches not yet acked is preallocated.</summary>
    public long InflightSegmentBytes { get; init; } = 8 << 20;

    /// <summary>The most that all in-flight files take: what is not acked, what is retained, and the files' ends.</summary>
    internal long InflightBytesMax => UnackedBytesMax + RetainedBytesMax + (2 * InflightSegmentBytes);

    /// <summary>Acked batches are kept this long, to be sent again if a broker lost them.</summary>
    public TimeSpan RetainedTime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Acked batches are kept up to this many bytes.</summary>
    public long RetainedBytesMax { get; init; } = 64 << 20;

    /// <summary>Bytes kept on disk for each input that is no file, until they are acked.</summary>
    public long SpoolBytesMax { get; init; } = 256 << 20;

    /// <summary>
    /// Deleted files that cannot be read yet, since their lines cannot be sent, are held open up to so many unread bytes; of more, the oldest are
    /// kept compressed in the state directory.
    /// </summary>
    public long DeletedBytesKept { get; init; } = 256L << 20;

    /// <summary>So many unread bytes in files that are deleted and held open are a problem: they fill a disk where nobody sees them.</summary>
    public long DeletedBytesAlarm { get; init; } = 1L << 30;

    /// <summary>How long a broker may take for an answer.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The least time between two looks at all files; grows with what a look costs.</summary>
    public TimeSpan SweepInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>A rotated file is done when it is read, acked and has not changed for this long.</summary>
    public TimeSpan RotatedQuiet { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a new file that equals a tailed one is taken for the copy that copytruncate makes.</summary>
    public TimeSpan CopyWait { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Files held open: those with unread lines, and those that were written to lately.</summary>
    public int OpenFilesMax { get; init; } = 4096;

    /// <summary>The topic that the agent publishes its status to; null = none.</summary>
    public string? StatusTopic { get; init; }

    /// <summary>Whether the agent's program applies a configuration file that has changed by itself, or only when a signal asks for it.</summary>
    public bool ReloadsOnChange { get; init; } = true;

    /// <summary>Files and directories that the product itself writes to, and that are never read.</summary>
    public IReadOnlyList<string> OwnPaths { get; init; } = [];

    /// <summary>How often progress is noted durably.</summary>
    public TimeSpan RegistryInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The same, with the paths of sources' spools in place: what is spooled is tailed like any other file.</summary>
    public AgentOptions WithSpools() => this with
    {
        Inputs = [.. Inputs.Select(input => input.Source is not SourceOptions source ? input : input with
        {
            Paths = [Path.Combine(source.SpoolIn(StateDirectory, input.Topic), "*.log")], ReadFrom = ReadFrom.Beginning,
        })],
    };

    // The registry notes a path with a length of 16 bits; a character may be four bytes.
    private const int InputKeyMax = 8000;

    /// <exception cref="ArgumentException">What is wrong, in words for the person who wrote the configuration.</exception>
    public void Validate()
    {
        Require(Bootstrap.Count > 0, "agent: bootstrap names no broker");
        Require(StateDirectory.Length > 0, "agent: state names no directory");
        Require(Inputs.Count > 0, "agent: there are no inputs");
        Require(Host.Length > 0, "agent: the host has no name");
        Require(BatchBytes is >= 1024 and <= 64 << 20, "agent: batch_bytes must be between 1 KiB and 64 MiB");
        Require(Linger >= TimeSpan.Zero && Linger <= TimeSpan.FromMinutes(1), "agent: linger must be between 0 and 1 minute");
        Require(InflightPerPartition is >= 1 and <= 5, "agent: at most 5 batches may be in flight in a partition");
        Require(UnackedBytesMax >= 1, "agent: unacked_bytes_max must be positive");
        Require(SweepInterval > TimeSpan.Zero, "agent: sweep_interval must be positive");
        ValidateSources();
        Require(OpenFilesMax > 0, "agent: open_files_max must be positive");
        foreach (InputOptions input in Inputs)
        {
            Require(input.Topic != StatusTopic, $"agent: '{input.Topic}' is both an input's topic and status_topic");
            Require(input.Paths.Count > 0 || input.Source is not null, $"agent: the input for topic '{input.Topic}' has no paths");
            string named = input.Source?.Name ?? input.Paths[0];
            Require(input.Topic.Length > 0, $"agent: the input for {named} has no topic");
            Require(input.MaxLineBytes is >= 1024 and <= 16 << 20, $"agent: max_line_bytes of {named} must be between 1 KiB and 16 MiB");
            TopicTemplate.Check(input);
            foreach (string path in input.Paths)
            {
                Require(PathRules.KeyOf(input.Topic, path).Length <= InputKeyMax, $"agent: a path of the input for topic '{input.Topic}' is longer than {InputKeyMax} characters");
                Require(Path.IsPathRooted(path), $"agent: the path '{path}' is not absolute");
            }
        }
    }

    /// <summary>Two inputs cannot share a spool: a line would be sent for either.</summary>
    private void ValidateSources()
    {
        List<string> spools = [.. Inputs.Where(static input => input.Source is not null).Select(input => input.Source!.SpoolIn(StateDirectory, input.Topic))];
        Require(spools.Distinct().Count() == spools.Count, "agent: two inputs have the same source and topic");
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new ArgumentException(otherwise);
        }
    }
}

/// <summary>How batches are compressed.</summary>
public enum BatchCompression
{
    Lz4,
    Gzip,
    None,
}
