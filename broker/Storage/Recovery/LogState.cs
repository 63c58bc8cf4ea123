using LogPipeline.Files;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage.Recovery;

/// <summary>A partition's log as found on disk: all of it durable.</summary>
internal sealed class LogState
{
    /// <summary>An empty log in a directory made for it; its names are not durable yet.</summary>
    public static LogState New(IFileSystem files, OpenFiles open, string directory, long now)
    {
        var segment = new LogSegment(files, open, directory, 0);
        segment.Create(now);
        return new LogState
        {
            Segments = [segment],
            Producers = new ProducerTable(),
            Epochs = new LeaderEpochs(),
            EndOffset = 0,
            SnapshotOffset = 0,
            SnapshotPosition = 0,
            EpochWritten = -1,
            CutBytes = 0,
        };
    }

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

    /// <summary>How often the log was cut while in use.</summary>
    public int Cuts { get; init; }

    /// <summary>Up to here compaction may have left offsets out.</summary>
    public long CleanOffset { get; init; }

    /// <summary>Bytes behind the last whole batch that recovery cut.</summary>
    public required long CutBytes { get; init; }
}
