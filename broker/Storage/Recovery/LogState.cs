using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage.Recovery;

/// <summary>A partition's log as found on disk: all of it durable.</summary>
internal sealed class LogState
{
    /// <summary>By base offset; the last one is written to.</summary>
    public required List<LogSegment> Segments { get; init; }

    public required ProducerTable Producers { get; init; }

    public required LeaderEpochs Epochs { get; init; }

    /// <summary>The offset that the next record gets.</summary>
    public required long EndOffset { get; init; }

    /// <summary>Offset of the newest producer snapshot.</summary>
    public required long SnapshotOffset { get; init; }

    /// <summary>Its place in the active segment; 0 when it lies in an earlier one.</summary>
    public required long SnapshotPosition { get; init; }

    /// <summary>The newest epoch that the epochs' file has up to the snapshot; -1 when none.</summary>
    public required int EpochWritten { get; init; }

    /// <summary>Bytes behind the last whole batch that recovery cut.</summary>
    public required long CutBytes { get; init; }
}
