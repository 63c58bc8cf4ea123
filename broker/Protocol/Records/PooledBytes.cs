using System.Buffers;

namespace LogPipeline.Protocol.Records;

/// <summary>Buffers of the shared pool that grow; one owner each.</summary>
public static class PooledBytes
{
    /// <summary>Makes room for <paramref name="size"/> bytes, keeping the first <paramref name="keep"/>.</summary>
    public static void Grow(ref byte[] buffer, int size, int keep)
    {
        if (size <= buffer.Length)
        {
            return;
        }
        long wanted = Math.Min(Math.Max(size, buffer.Length * 2L), Array.MaxLength);
        byte[] larger = ArrayPool<byte>.Shared.Rent((int)wanted);
        buffer.AsSpan(0, Math.Min(keep, buffer.Length)).CopyTo(larger);
        Return(ref buffer);
        buffer = larger;
    }

    /// <summary>Gives the buffer back.</summary>
    public static void Return(ref byte[] buffer)
    {
        byte[] old = buffer;
        buffer = [];
        if (old.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(old);
        }
    }
}
