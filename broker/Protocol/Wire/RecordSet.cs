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

    /// <summary>Copies the batches, wherever they are, to the start of <paramref name="to"/>.</summary>
    /// <exception cref="IOException">The source cannot be read.</exception>
    public void CopyTo(Span<byte> to)
    {
        if (Source is null)
        {
            Memory.Span.CopyTo(to);
        }
        else
        {
            Source.CopyTo(to);
        }
    }

    /// <summary>Sends the batches, wherever they are.</summary>
    public ValueTask SendAsync(IRecordSender sender) => Source is null ? sender.SendAsync(Memory) : Source.SendAsync(sender);
}
