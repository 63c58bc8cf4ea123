using System.Buffers;

namespace LogPipeline.Agent.Sources;

/// <summary>Gives whole lines of a stream of bytes: what follows the last line feed waits for the rest of its line, up to a bound, at which it is cut.</summary>
internal sealed class LineCutter(int lineBytesMax)
{
    private readonly ArrayBufferWriter<byte> _rest = new();

    /// <summary>Adds bytes; returns the whole lines that there are now, with their line feeds; empty when there is none.</summary>
    public byte[] Add(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.LastIndexOf((byte)'\n') + 1;
        if (end == 0 && _rest.WrittenCount + bytes.Length < lineBytesMax)
        {
            _rest.Write(bytes);
            return [];
        }
        bool isCut = end == 0;
        end = isCut ? bytes.Length : end;
        byte[] lines = [.. _rest.WrittenSpan, .. bytes[..end], .. isCut ? "\n"u8 : default];
        _rest.ResetWrittenCount();
        _rest.Write(bytes[end..]);
        return lines;
    }

    /// <summary>The stream has ended: returns the rest as a line; empty when there is no rest.</summary>
    public byte[] End()
    {
        byte[] last = _rest.WrittenCount == 0 ? [] : [.. _rest.WrittenSpan, (byte)'\n'];
        _rest.ResetWrittenCount();
        return last;
    }
}
