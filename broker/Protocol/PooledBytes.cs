using System.Buffers;

namespace LogPipeline.Protocol;

/// <summary>
/// Byte buffers of the shared pool, one owner each. Only buffers up to <see cref="LargestPooled"/> bytes go back to the pool: it
/// would keep larger ones for good (one of each size for every core), long after the one request that needed them.
/// </summary>
public static class PooledBytes
{
    /// <summary>The largest buffer that is kept for reuse, in bytes: a batch of the default max.message.bytes fits.</summary>
    public const int LargestPooled = 2 << 20;

    /// <summary>Returns a buffer of at least that many bytes; its content is arbitrary.</summary>
    public static byte[] Rent(int size) =>
        size <= LargestPooled ? ArrayPool<byte>.Shared.Rent(size) : GC.AllocateUninitializedArray<byte>(size);

    /// <summary>
    /// Makes room for <paramref name="size"/> bytes, keeping the first <paramref name="keep"/>. What must grow again and again grows twofold,
    /// but not beyond <paramref name="most"/> bytes.
    /// </summary>
    public static void Grow(ref byte[] buffer, int size, int keep, int most = int.MaxValue)
    {
        if (size <= buffer.Length)
        {
            return;
        }
        long wanted = Math.Min(Math.Max(size, Math.Min(buffer.Length * 2L, most)), Array.MaxLength);
        byte[] larger = Rent((int)wanted);
        buffer.AsSpan(0, Math.Min(keep, buffer.Length)).CopyTo(larger);
        Return(ref buffer);
        buffer = larger;
    }

    /// <summary>Gives the buffer up: to the pool, or to the garbage collector when it is large.</summary>
    public static void Return(ref byte[] buffer)
    {
        byte[] old = buffer;
        buffer = [];
        if (old.Length is > 0 and <= LargestPooled)
        {
            ArrayPool<byte>.Shared.Return(old);
        }
    }
}
