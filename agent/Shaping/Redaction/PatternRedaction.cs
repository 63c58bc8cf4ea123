using System.Buffers;
using System.Text;

namespace LogPipeline.Agent.Shaping.Redaction;

/// <summary>Replaces what a regular expression matches by a fixed text.</summary>
internal sealed class PatternRedaction(LinePattern pattern, string replacement) : IRedaction
{
    private readonly byte[] _replacement = Encoding.UTF8.GetBytes(replacement);

    public bool TryApply(ReadOnlySpan<byte> line, ArrayBufferWriter<byte> to) => pattern.TryReplace(line, _replacement, to);
}
