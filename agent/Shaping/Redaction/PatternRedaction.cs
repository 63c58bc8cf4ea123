using System.Text;

namespace LogPipeline.Agent.Shaping.Redaction;

/// <summary>Finds what a regular expression matches.</summary>
internal sealed class PatternRedaction(LinePattern pattern, string replacement) : IRedaction
{
    public ReadOnlyMemory<byte> Replacement { get; } = Encoding.UTF8.GetBytes(replacement);

    /// <summary>The expression.</summary>
    public LinePattern Pattern => pattern;

    public void Find(ReadOnlySpan<byte> line, ICollection<RedactionMatch> matches) => pattern.FindAll(line, matches);
}
