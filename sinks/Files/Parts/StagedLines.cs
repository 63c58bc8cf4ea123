using System.Buffers;

namespace LogPipeline.Sinks.Files.Parts;

/// <summary>The lines of a staged file, one after another.</summary>
internal sealed class StagedLines(Stream staged) : IDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
    private long _before; // bytes of the file that are no longer in the buffer
    private int _begin;
    private int _end;
    private int _length = -1; // of the current line; -1: none

    /// <summary>Without its line feed; valid until the next is read.</summary>
    public ReadOnlySpan<byte> Current => _buffer.AsSpan(_begin, _length);

    /// <summary>The place of its line feed in the file.</summary>
    public long FeedAt => _before + _begin + _length;

    /// <summary>False at the end; a last line without its line feed was never committed.</summary>
    public bool Read()
    {
        _begin += _length + 1;
        while (true)
        {
            int feed = _buffer.AsSpan(_begin, _end - _begin).IndexOf((byte)'\n');
            if (feed >= 0)
            {
                _length = feed;
                return true;
            }
            if (!Fill())
            {
                _length = -1;
                return false;
            }
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private bool Fill()
    {
        if (_begin > 0)
        {
            _buffer.AsSpan(_begin, _end - _begin).CopyTo(_buffer);
            _before += _begin;
            (_begin, _end) = (0, _end - _begin);
        }
        if (_end == _buffer.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
            _buffer.CopyTo(larger, 0);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        int read = staged.Read(_buffer.AsSpan(_end));
        _end += read;
        return read > 0;
    }
}
