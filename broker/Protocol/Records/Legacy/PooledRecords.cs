using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Records.Legacy;

/// <summary>Records that were made for one answer, in a buffer that goes back to the pool when the answer is sent.</summary>
public sealed class PooledRecords : IRecordSource
{
    private byte[] _buffer;

    internal PooledRecords(byte[] buffer, int length) => (_buffer, Length) = (buffer, length);

    /// <inheritdoc/>
    public int Length { get; }

    /// <inheritdoc/>
    public void CopyTo(Span<byte> to) => _buffer.AsSpan(0, Length).CopyTo(to);

    /// <inheritdoc/>
    public ValueTask SendAsync(IRecordSender sender)
    {
        ArgumentNullException.ThrowIfNull(sender);
        return sender.SendAsync(_buffer.AsMemory(0, Length));
    }

    /// <summary>Returns the buffer; a second call does nothing.</summary>
    public void Dispose()
    {
        byte[] buffer = Interlocked.Exchange(ref _buffer, []);
        PooledBytes.Return(ref buffer);
    }
}
