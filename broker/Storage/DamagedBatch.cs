using System.Globalization;
using LogPipeline.Files;
using LogPipeline.Storage.Checkpoints;

namespace LogPipeline.Storage;

/// <summary>Offsets of a segment that cannot be read, because no sound batch lies there.</summary>
/// <param name="FirstOffset">The first of them.</param>
/// <param name="NextOffset">The first behind them.</param>
/// <param name="SegmentOffset">The segment's base offset.</param>
/// <param name="Position">Where the damage begins in the segment's file, in bytes.</param>
/// <param name="EndPosition">Where it ends there: the next sound batch begins, or there is none behind.</param>
public readonly record struct DamagedBatch(long FirstOffset, long NextOffset, long SegmentOffset, long Position, long EndPosition)
{
    /// <summary>
    /// In a log's directory, there while damage is known: so a restart does not serve it before it is found again. Checkpoint lines of the
    /// five numbers above.
    /// </summary>
    internal const string FileName = "damaged-batches";

    /// <summary>Whether bytes between two positions of a segment are damaged.</summary>
    internal bool Overlaps(long segmentOffset, long from, long to) => SegmentOffset == segmentOffset && Position < to && EndPosition > from;

    /// <summary>Where a walk over a segment's batches goes on that has come to a position: there, or behind the damage that begins there.</summary>
    internal static long StepOver(DamagedBatch[] damaged, long segmentOffset, long position)
    {
        foreach (DamagedBatch batch in damaged)
        {
            if (batch.Overlaps(segmentOffset, position, position + 1))
            {
                position = batch.EndPosition;
            }
        }
        return position;
    }

    /// <summary>What is known of a log; a file that is damaged itself says nothing: the next scrub, or the first fetch, finds the rest.</summary>
    internal static DamagedBatch[] Read(IFileSystem files, string directory)
    {
        try
        {
            return [.. TextCheckpoint.Read(files, directory + "/" + FileName, numbers: 5, hasTopic: false).Select(static fields => Of([.. fields.Select(static field => long.Parse(field, CultureInfo.InvariantCulture))]))];
        }
        catch (InvalidDataException)
        {
            return [];
        }
    }

    /// <summary>Keeps what is known, durably.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    internal static void Write(IFileSystem files, string directory, IReadOnlyCollection<DamagedBatch> damaged)
    {
        if (damaged.Count > 0)
        {
            TextCheckpoint.Write(files, directory + "/" + FileName, [.. damaged.Select(static batch => batch.Line())]);
            return;
        }
        files.Delete(directory + "/" + FileName);
        files.FlushDirectory(directory);
    }

    private static DamagedBatch Of(long[] numbers) => new(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);

    private string Line() => string.Create(CultureInfo.InvariantCulture, $"{FirstOffset} {NextOffset} {SegmentOffset} {Position} {EndPosition}");
}
