using LogPipeline.Files;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Recovery;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage.Verification;

/// <summary>Checks one log's directory: its small files, then every segment with its indexes, and that each goes on where the one before it ends.</summary>
internal sealed class LogCheck(IFileSystem files, string directory, long cleanOffset, bool wasClean, CheckTotals totals, Action progress)
{
    private readonly IReadOnlyList<DirectoryEntry> _entries = files.List(directory);
    private LeaderEpochs _epochs = new();
    private int _epoch = -1;

    /// <summary>Where the log ends, as far as it was read.</summary>
    public long EndOffset { get; private set; }

    /// <summary>What is wrong, in the order of the files; the walk goes on behind each fault for as long as it is asked to.</summary>
    public IEnumerable<LogFault> Run()
    {
        foreach (LogFault fault in SmallFiles())
        {
            yield return fault;
        }
        List<long> bases = [.. Names(SegmentFileName.Log).Order()];
        long? expected = bases.Count > 0 ? bases[0] : null;
        foreach (long baseOffset in bases)
        {
            if (expected is { } end && baseOffset != end && (baseOffset < end || baseOffset > cleanOffset))
            {
                yield return new LogFault(SegmentFileName.Of(directory, baseOffset, SegmentFileName.Log), 0, baseOffset, $"the segment before it ends at offset {end}");
            }
            EndOffset = baseOffset;
            foreach (LogFault fault in Segment(baseOffset, isLast: baseOffset == bases[^1]))
            {
                yield return fault;
            }
            expected = EndOffset;
            totals.Segments++;
        }
    }

    private IEnumerable<LogFault> SmallFiles()
    {
        _ = LogDirectories.TopicIdOf(files, directory, out string? damage);
        if (damage is not null)
        {
            yield return new LogFault($"{directory}/partition.metadata", 0, null, damage);
        }
        if (Tried(() => _epochs = LeaderEpochs.Read(files, directory)) is { } problem)
        {
            yield return new LogFault($"{directory}/{LeaderEpochs.FileName}", 0, null, problem);
        }
        foreach (long offset in Names(SegmentFileName.Snapshot).Order())
        {
            string path = SegmentFileName.Of(directory, offset, SegmentFileName.Snapshot);
            if (ProducerSnapshot.TryRead(files, path) is null)
            {
                yield return new LogFault(path, 0, offset, "this is no snapshot of producers, or its checksum is wrong");
            }
        }
    }

    private IEnumerable<LogFault> Segment(long baseOffset, bool isLast)
    {
        using IFile file = files.Open(SegmentFileName.Of(directory, baseOffset, SegmentFileName.Log), FileOpenMode.Read);
        var index = new IndexCheck(files, directory, baseOffset);
        long length = file.Length;
        using var check = new BatchCheck(file, length, cleanOffset);
        long? expected = baseOffset;
        bool torn = false;
        for (long position = 0; position < length;)
        {
            if (check.IsSound(position, expected))
            {
                BatchHeader header = check.Header;
                foreach (LogFault fault in Sound(file.Path, position, header).Concat(index.Batch(position, header)))
                {
                    yield return fault;
                }
                position += header.SizeInBytes;
                (expected, EndOffset) = (header.NextOffset, header.NextOffset);
                Count(header);
                continue;
            }
            if (isLast && !wasClean && expected is { } end && IsTorn(file, position, length, end, check.Problem))
            {
                totals.TornBytes += length - position;
                totals.Bytes += length - position;
                torn = true;
                break;
            }
            yield return new LogFault(file.Path, position, EndOffset, check.Problem);
            long next = check.NextSound(position, EndOffset);
            totals.Bytes += next - position;
            index.StepOver(next, next < length ? check.Header.BaseOffset : long.MaxValue);
            (position, expected) = (next, null);
        }
        foreach (LogFault fault in torn ? [] : index.End())
        {
            yield return fault;
        }
    }

    // The leader epoch lies outside what the checksum covers. The checkpoint may lack the newest epochs after a crash.
    private IEnumerable<LogFault> Sound(string path, long position, BatchHeader header)
    {
        int told = wasClean || header.LeaderEpoch <= _epochs.Latest ? _epochs.EpochAt(header.BaseOffset) : -1;
        if (told >= 0 && told != header.LeaderEpoch)
        {
            yield return new LogFault(path, position, header.BaseOffset, $"the batch says leader epoch {header.LeaderEpoch}, {LeaderEpochs.FileName} says {told}");
        }
        else if (header.LeaderEpoch < _epoch)
        {
            yield return new LogFault(path, position, header.BaseOffset, $"leader epoch {header.LeaderEpoch} after {_epoch}");
        }
        _epoch = Math.Max(_epoch, told >= 0 ? told : header.LeaderEpoch);
    }

    private void Count(BatchHeader header)
    {
        totals.Batches++;
        totals.Records += header.RecordCount;
        totals.Bytes += header.SizeInBytes;
        progress();
    }

    private static bool IsTorn(IFile file, long position, long length, long expectedOffset, string problem)
    {
        try
        {
            TornTail.Require(file, position, length, expectedOffset, problem);
            return true;
        }
        catch (CorruptLogException)
        {
            return false;
        }
    }

    private IEnumerable<long> Names(string suffix)
    {
        foreach (DirectoryEntry entry in _entries)
        {
            if (SegmentFileName.TryParse(entry.Name, suffix, out long offset))
            {
                yield return offset;
            }
        }
    }

    private static string? Tried(Action read)
    {
        try
        {
            read();
            return null;
        }
        catch (InvalidDataException e)
        {
            return e.Message;
        }
    }
}
