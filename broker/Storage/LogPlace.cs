using LogPipeline.Files;
using LogPipeline.Files.Waiting;
using LogPipeline.Storage.Journals;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Segments;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Storage;

/// <summary>Where a log is and what it works with.</summary>
internal sealed record LogPlace(string Directory, string Topic, Guid TopicId, int Partition)
{
    public required IFileSystem Files { get; init; }

    public required OpenFiles Open { get; init; }

    public required DiskSpace Space { get; init; }

    public required CommitJournal Journal { get; init; }

    public required AsyncSignal MaintenanceDue { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

    public required Action<Exception> OnFatal { get; init; }

    /// <summary>Shared by all logs of a data directory.</summary>
    public BatchDecoders Decoders { get; } = new();

    /// <summary>Shared by all logs of a data directory.</summary>
    public DamageCount DamageFound { get; } = new();

    /// <summary>The same for another log.</summary>
    public LogPlace Of(FoundLog log) => this with
    {
        Directory = log.Directory,
        Topic = log.Topic,
        TopicId = log.TopicId,
        Partition = log.Partition,
    };
}
