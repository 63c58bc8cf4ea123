using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Segments;

/// <summary>Adds to a segment's indexes while its batches go by in order, as Kafka does: an entry before a batch when more than the
/// interval was written since the last one.</summary>
internal sealed class IndexBuilder(OffsetIndex offsets, TimeIndex times)
{
    private long _bytesSinceEntry;

    /// <summary>Where the next batch begins.</summary>
    public long Position { get; private set; }

    /// <summary>The largest timestamp so far; -1 when there is none.</summary>
    public long MaxTimestamp { get; private set; } = -1;

    /// <summary>Last offset of the batch that holds it.</summary>
    public long MaxTimestampOffset { get; private set; }

    public void Add(in BatchHeader header, int intervalBytes)
    {
        NoteTime(in header);
        if (_bytesSinceEntry > intervalBytes)
        {
            offsets.Append(header.LastOffset, Position);
            times.Append(MaxTimestamp, MaxTimestampOffset);
            _bytesSinceEntry = 0;
        }
        _bytesSinceEntry += header.SizeInBytes;
        Position += header.SizeInBytes;
    }

    /// <summary>Goes on at a later position: what lies between is damaged.</summary>
    public void Skip(long position)
    {
        _bytesSinceEntry += position - Position;
        Position = position;
    }

    /// <summary>Counts a batch's timestamp only.</summary>
    public void NoteTime(in BatchHeader header)
    {
        if (header.MaxTimestamp > MaxTimestamp)
        {
            (MaxTimestamp, MaxTimestampOffset) = (header.MaxTimestamp, header.LastOffset);
        }
    }

    /// <summary>Goes on at a batch border with the entries that are there.</summary>
    public void Resume(long position)
    {
        int count = times.Entries.Count;
        (MaxTimestamp, MaxTimestampOffset) = count == 0 ? (-1, 0) : times[count - 1];
        int indexed = offsets.Entries.Count;
        _bytesSinceEntry = position - (indexed == 0 ? 0 : offsets[indexed - 1].Position);
        Position = position;
    }

    /// <summary>Notes the largest timestamp, so that the entries say all of the batches so far.</summary>
    public void Complete() => times.Append(MaxTimestamp, MaxTimestampOffset);
}
