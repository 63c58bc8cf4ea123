using System.Buffers;

namespace LogPipeline.Agent.State;

/// <summary>
/// An encoded batch in memory of the shared pool, cut to its size: what is written to the in-flight file and what the socket
/// sends are these bytes. One owner, who gives them back once nobody reads them any more.
/// </summary>
internal sealed class PooledBatch
{
    private byte[] _bytes;

    private PooledBatch(byte[] bytes, int length) => (_bytes, Memory) = (bytes, bytes.AsMemory(0, length));

    public ReadOnlyMemory<byte> Memory { get; private set; }

    public static PooledBatch CopyOf(ReadOnlySpan<byte> batch)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent(batch.Length);
        batch.CopyTo(bytes);
        return new PooledBatch(bytes, batch.Length);
    }

    public void GiveBack()
    {
        (byte[] bytes, _bytes, Memory) = (_bytes, [], default);
        if (bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
