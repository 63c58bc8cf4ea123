using System.Buffers;

namespace LogPipeline.Agent.Sources;

/// <summary>Whole lines as they come: what follows the last line feed waits for the rest of its line, up to a bound, at which it is cut.</summary>
/// <param name="lineBytesMax">A longer line is cut.</param>
/// <param name="decoder">Makes UTF-8 of the stream first; null = it passes as it is.</param>
internal sealed class LineCutter(int lineBytesMax, StreamDecoder? decoder = null) : ILineFraming
{
    private readonly StreamRest _rest = new();

    public void Add(ReadOnlySpan<byte> bytes, IBufferWriter<byte> lines) => Cut(decoder is null ? bytes : decoder.Add(bytes), lines);

    private void Cut(ReadOnlySpan<byte> bytes, IBufferWriter<byte> lines)
    {
        int end = bytes.LastIndexOf((byte)'\n') + 1;
        bool isCut = end == 0 && _rest.Bytes.Length + bytes.Length >= lineBytesMax;
        if (end > 0 || isCut)
        {
            lines.Write(_rest.Bytes);
            lines.Write(isCut ? bytes : bytes[..end]);
            lines.Write(isCut ? "\n"u8 : default);
            _rest.Keep(0);
        }
        _rest.Add(isCut ? default : bytes[end..]);
    }

    /// <summary>Adds the rest as a line; nothing when there is no rest.</summary>
    public void End(IBufferWriter<byte> lines)
    {
        Cut(decoder is null ? default : decoder.End(), lines);
        if (!_rest.Bytes.IsEmpty)
        {
            lines.Write(_rest.Bytes);
            lines.Write("\n"u8);
        }
        _rest.Keep(0);
    }
}
