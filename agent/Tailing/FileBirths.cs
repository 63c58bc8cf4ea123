using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>Begins generations and gives them their partitions.</summary>
internal sealed class FileBirths(
    PathRules rules, FileTable table, FileHandles handles, AgentState state, Generations generations, AgentOptions options, TimeProvider time,
    AgentMetrics metrics, ILogger logger)
{
    /// <summary>Files that a look begins to follow and names in the log; of more it tells the number.</summary>
    private const int NamedMax = 100;

    private readonly Dictionary<string, int> _partitionCounts = [];
    private readonly List<TailedFile> _begun = [];
    private int _followed;

    /// <summary>Whether a generation began since <see cref="TakeBegun"/>; the registry must know it before it is read.</summary>
    public bool HasBegun => _begun.Count > 0;

    /// <summary>The files whose generations the registry does not know yet.</summary>
    public List<TailedFile> TakeBegun()
    {
        List<TailedFile> begun = [.. _begun];
        _begun.Clear();
        return begun;
    }

    /// <summary>Whether an input wants a path: a generation that began at another one would be nobody's at the next start.</summary>
    public bool IsWanted(string path, InputOptions input) => input.Source is not null || rules.InputOf(path, input.Topic) is not null;

    /// <param name="path">What names the file, or named it.</param>
    /// <param name="input">The input that wants it.</param>
    /// <param name="file">The file, open: from now on <see cref="FileHandles"/> has the handle.</param>
    /// <param name="begin">Where it is read from; what lies before is read, or is not to be.</param>
    /// <param name="phase">Live or rotated.</param>
    /// <param name="before">The file that it goes on behind: its topic is kept where the path alone gives none.</param>
    public TailedFile Begin(string path, InputOptions input, IFile file, long begin, GenerationPhase phase, TailedFile? before = null)
    {
        FileStatus status = file.Status();
        string topic = rules.TopicOf(path, input) ?? before!.Generation.Topic;
        if (before is not null && (rules.ProblemOf(topic, input) is not null || table.With(FileIdentity.Of(status), topic) is not null))
        {
            topic = before.Generation.Topic;
        }
        var generation = new Generation
        {
            Id = state.NewGenerationId(),
            Topic = topic,
            FirstPath = path,
            Path = path,
            Identity = FileIdentity.Of(status),
            Seen = begin == 0 ? ContentCheck.WrittenHeadOf(file, (int)Math.Min(status.Length, Fingerprint.LengthMax)) : default,
            Head = ContentCheck.HeadOf(file, (int)Math.Min(begin, Fingerprint.LengthMax)),
            Begin = begin,
            Acked = Progress.At(begin),
            AckedTail = ContentCheck.TailBefore(file, begin),
            Phase = phase,
            PhaseSince = time.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        (generation.Read, generation.ReadTail) = (generation.Acked, generation.AckedTail);
        generation.Partition = PartitionOf(generation, input);
        generations.Add(generation);
        metrics.GenerationsBegun.Add(1);
        TailedFile begun = Follow(generation, input);
        begun.Size = status.Length;
        handles.Hold(begun, file);
        _begun.Add(begun);
        return begun;
    }

    /// <summary>Follows a generation from where it was read to.</summary>
    public TailedFile Follow(Generation generation, InputOptions input)
    {
        TailedFile file = table.Add(generation, input);
        file.ChangedAt = time.GetTimestamp();
        if (++_followed <= NamedMax)
        {
            logger.Following(generation.Path, generation.Read.Position, generation.Topic);
        }
        return file;
    }

    /// <summary>A look is over: tells how many files it began to follow beyond those that are named.</summary>
    public void TellFollowed()
    {
        if (_followed > NamedMax)
        {
            logger.FollowingMore(_followed - NamedMax);
        }
        _followed = 0;
    }

    /// <summary>Gives partitions to the generations of a topic that had none.</summary>
    public void AssignPartitions(string topic, int count)
    {
        _partitionCounts[topic] = count;
        foreach (TailedFile file in table.Unattached)
        {
            if (file.Generation.Topic == topic && file.Generation.Partition < 0)
            {
                file.Generation.Partition = PartitionOf(file.Generation, file.Input);
                _begun.Add(file);
            }
        }
    }

    /// <summary>The partition that the path was given before, so that added partitions never reorder a file; else by hash.</summary>
    private int PartitionOf(Generation generation, InputOptions input)
    {
        Generation? earlier = input.Source is null
            ? generations.LatestAt(generation.FirstPath, generation.Topic) : table.Files.LastOrDefault(file => file.Input == input)?.Generation;
        return earlier is not null && earlier.Partition >= 0 ? earlier.Partition
            : _partitionCounts.TryGetValue(generation.Topic, out int count)
                ? Partitioning.Choose(input.Partition, options.Host, input.Source?.Name ?? generation.FirstPath, count)
                : -1;
    }
}
