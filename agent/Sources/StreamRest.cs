namespace LogPipeline.Agent.Sources;

/// <summary>Bytes of a stream that came and are not taken yet, because what they begin is not whole.</summary>
internal sealed class StreamRest
{
    private byte[] _bytes = [];
    private int _length;

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    public void Add(ReadOnlySpan<byte> more)
    {
        if (_bytes.Length - _length < more.Length)
        {
            Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _length + more.Length));
        }
        more.CopyTo(_bytes.AsSpan(_length));
        _length += more.Length;
    }

    /// <summary>All but the last so many bytes are taken.</summary>
    public void Keep(int last)
    {
        if (last < _length)
        {
            _bytes.AsSpan(_length - last, last).CopyTo(_bytes);
            _length = last;
        }
    }
}
