using System.Globalization;
using LogPipeline.Files;

namespace LogPipeline.Storage.Checkpoints;

/// <summary>
/// At which offset each leader epoch begins, both ascending; the file is a checkpoint with lines "epoch offset". The batches
/// carry their epoch, so recovery finds what the file does not have yet. The partition's lock guards it.
/// </summary>
internal sealed class LeaderEpochs
{
    public const string FileName = "leader-epoch-checkpoint";

    private readonly List<(int Epoch, long StartOffset)> _entries = [];

    public int Latest => _entries.Count == 0 ? -1 : _entries[^1].Epoch;

    /// <summary>Notes the epoch of a batch in offset order; the same epoch again changes nothing.</summary>
    public void Assign(int epoch, long offset)
    {
        if (epoch > Latest)
        {
            _entries.Add((epoch, offset));
        }
    }

    /// <summary>Forgets epochs that begin at or after an offset.</summary>
    public void TruncateFrom(long offset) => _entries.RemoveAll(entry => entry.StartOffset >= offset);

    /// <summary>Forgets epochs that end at or before the log's new start.</summary>
    public void RemoveBefore(long startOffset)
    {
        int later = _entries.FindIndex(entry => entry.StartOffset > startOffset);
        _entries.RemoveRange(0, Math.Max(0, (later < 0 ? _entries.Count : later) - 1));
    }

    /// <summary>The largest epoch with records up to a former one that is asked for, and where it ends.</summary>
    public (int Epoch, long EndOffset) EndOffsetFor(int epoch, long endOffset)
    {
        int index = _entries.FindLastIndex(entry => entry.Epoch <= epoch);
        if (index < 0)
        {
            // Before all we know: it ended where they begin, or where the next one will.
            return (epoch, _entries.Count == 0 ? endOffset : _entries[0].StartOffset);
        }
        return (_entries[index].Epoch, index + 1 < _entries.Count ? Math.Min(_entries[index + 1].StartOffset, endOffset) : endOffset);
    }

    /// <summary>The epoch in which an offset was appended; -1 when unknown.</summary>
    public int EpochAt(long offset)
    {
        int low = 0;
        int high = _entries.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = _entries[middle].StartOffset <= offset ? (middle + 1, high) : (low, middle);
        }
        return low == 0 ? -1 : _entries[low - 1].Epoch;
    }

    public string[] Lines() =>
        [.. _entries.Select(static entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Epoch} {entry.StartOffset}"))];

    /// <summary>What the file in a log's directory says; empty when there is none.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static LeaderEpochs Read(IFileSystem files, string directory)
    {
        var epochs = new LeaderEpochs();
        foreach (string[] fields in TextCheckpoint.Read(files, directory + "/" + FileName, numbers: 2, hasTopic: false))
        {
            epochs.Assign((int)long.Parse(fields[0], CultureInfo.InvariantCulture), long.Parse(fields[1], CultureInfo.InvariantCulture));
        }
        return epochs;
    }
}
