using LogPipeline.Agent.Framing;

namespace LogPipeline.Agent.Shaping;

/// <summary>What becomes of the lines of one file: its input's shape, its own encoding, and what is known of it between two reads.</summary>
internal sealed class FileShape(LineShape shape, TextDecoder? encoding)
{
    public LineShape Shape => shape;

    /// <summary>Null where the bytes are passed on as they are.</summary>
    public TextDecoder? Encoding => encoding;

    /// <summary>The longest line in bytes of the file that comes whole.</summary>
    public int LineBytesMax => encoding?.BytesFor(shape.Input.MaxLineBytes) ?? shape.Input.MaxLineBytes;
}
