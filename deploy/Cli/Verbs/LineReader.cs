namespace LogPipeline.Cli.Verbs;

/// <summary>Splits a stream into lines as bytes, without their line feeds. A line is valid until the next one is read.</summary>
internal sealed class LineReader(Stream input)
{
    private byte[] _buffer = new byte[64 << 10];
    private int _begin;
    private int _end;

    /// <summary>The next line, or null at the end; the last one needs no line feed.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellation)
    {
        int searched = 0;
        while (true)
        {
            int at = _buffer.AsSpan(_begin + searched, _end - _begin - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                Memory<byte> line = _buffer.AsMemory(_begin, searched + at);
                _begin += searched + at + 1;
                return line;
            }
            searched = _end - _begin;
            MakeRoom();
            int read = await input.ReadAsync(_buffer.AsMemory(_end), cancellation);
            if (read > 0)
            {
                _end += read;
                continue;
            }
            if (_begin == _end)
            {
                return null;
            }
            Memory<byte> last = _buffer.AsMemory(_begin, _end - _begin);
            _begin = _end;
            return last;
        }
    }

    private void MakeRoom()
    {
        if (_end < _buffer.Length)
        {
            return;
        }
        if (_begin > 0)
        {
            _buffer.AsSpan(_begin, _end - _begin).CopyTo(_buffer);
        }
        else
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
        (_begin, _end) = (0, _end - _begin);
    }
}
