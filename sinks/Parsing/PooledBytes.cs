using System.Buffers;

namespace LogPipeline.Sinks.Parsing;

/// <summary>Bytes that are appended, read and then forgotten, in one pooled array that grows to the most that was needed. One owner.</summary>
public sealed class PooledBytes(int capacity = 0) : IDisposable
{
    private byte[] _bytes = capacity > 0 ? ArrayPool<byte>.Shared.Rent(capacity) : [];

    /// <summary>How many were appended. May be set back, which forgets those behind.</summary>
    public int Used { get; set; }

    public ReadOnlySpan<byte> Span(int start, int length) => _bytes.AsSpan(start, length);

    public ReadOnlyMemory<byte> Memory(int start, int length) => _bytes.AsMemory(start, length);

    /// <summary>Returns room behind what was appended, at least so much. It is valid until the next call; what was written there counts once <see cref="Used"/> is raised.</summary>
    public Span<byte> Reserve(int length)
    {
        if (length > _bytes.Length - Used)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, Math.Max(checked(Used + length), _bytes.Length * 2L)));
            _bytes.AsSpan(0, Used).CopyTo(larger);
            Release();
            _bytes = larger;
        }
        return _bytes.AsSpan(Used);
    }

    /// <returns>Where they begin.</returns>
    public int Append(ReadOnlySpan<byte> bytes)
    {
        int start = Used;
        bytes.CopyTo(Reserve(bytes.Length));
        Used += bytes.Length;
        return start;
    }

    public void Dispose()
    {
        Release();
        (_bytes, Used) = ([], 0);
    }

    private void Release()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }
    }
}
