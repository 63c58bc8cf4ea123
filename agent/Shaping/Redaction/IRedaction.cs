using System.Buffers;

namespace LogPipeline.Agent.Shaping.Redaction;

/// <summary>Replaces what is not to leave the host.</summary>
public interface IRedaction
{
    /// <summary>Writes a line with all that it knows replaced; false, and nothing written, where there is nothing of that.</summary>
    bool TryApply(ReadOnlySpan<byte> line, ArrayBufferWriter<byte> to);
}
