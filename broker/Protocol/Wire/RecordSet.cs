namespace LogPipeline.Protocol.Wire;

/// <summary>
/// The records field of a produce request or a fetch response: record batches back to back, either bytes in memory or a source
/// that the sender splices in (a file region for sendfile).
/// </summary>
public readonly struct RecordSet
{
    /// <summary>Batches in memory.</summary>
    public RecordSet(ReadOnlyMemory<byte> memory)
    {
        Memory = memory;
        Length = memory.Length;
    }

    /// <summary>Batches that the sender of the frame fetches from <paramref name="source"/>.</summary>
    public RecordSet(IRecordSource source)
    {
        Source = source;
        Length = source.Length;
    }

    /// <summary>The bytes, when they are in memory.</summary>
    public ReadOnlyMemory<byte> Memory { get; }

    /// <summary>Where the bytes are, when they are not in memory.</summary>
    public IRecordSource? Source { get; }

    /// <summary>Bytes in all.</summary>
    public int Length { get; }
}

/// <summary>Record batches outside the frame; the network layer that made the source knows how to send it.</summary>
public interface IRecordSource
{
    /// <summary>Bytes that will be sent.</summary>
    int Length { get; }
}
