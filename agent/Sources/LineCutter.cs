namespace LogPipeline.Agent.Sources;

/// <summary>Gives whole lines of a stream of bytes: what follows the last line feed waits for the rest of its line, up to a bound, at which it is cut.</summary>
internal sealed class LineCutter(int lineBytesMax)
{
    private readonly StreamRest _rest = new();

    /// <summary>Adds bytes; returns the whole lines that there are now, with their line feeds; empty when there is none.</summary>
    public byte[] Add(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.LastIndexOf((byte)'\n') + 1;
        if (end == 0 && _rest.Bytes.Length + bytes.Length < lineBytesMax)
        {
            _rest.Add(bytes);
            return [];
        }
        bool isCut = end == 0;
        end = isCut ? bytes.Length : end;
        byte[] lines = [.. _rest.Bytes, .. bytes[..end], .. isCut ? "\n"u8 : default];
        _rest.Keep(0);
        _rest.Add(bytes[end..]);
        return lines;
    }

    /// <summary>The stream has ended: returns the rest as a line; empty when there is no rest.</summary>
    public byte[] End()
    {
        byte[] last = _rest.Bytes.IsEmpty ? [] : [.. _rest.Bytes, (byte)'\n'];
        _rest.Keep(0);
        return last;
    }
}
