using System.Buffers;

namespace LogPipeline.Client.Connections;

/// <summary>A received frame in a pooled buffer, shared by all that hold slices of it; the last one to let go returns it.</summary>
internal sealed class FrameLease
{
    private readonly int _length;
    private byte[]? _bytes;
    private int _holders = 1;

    private FrameLease(int length)
    {
        _length = length;
        _bytes = ArrayPool<byte>.Shared.Rent(length);
    }

    public Memory<byte> Memory => (_bytes ?? throw new ObjectDisposedException(nameof(FrameLease))).AsMemory(0, _length);

    public static FrameLease Rent(int length) => new(length);

    public void Retain() => Interlocked.Increment(ref _holders);

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            ArrayPool<byte>.Shared.Return(Interlocked.Exchange(ref _bytes, null)!);
        }
    }
}

/// <summary>A response whose byte fields are slices of a leased frame.</summary>
internal readonly record struct Leased<TResponse>(TResponse Response, FrameLease Lease);
