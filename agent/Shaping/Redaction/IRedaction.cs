namespace LogPipeline.Agent.Shaping.Redaction;

/// <summary>Finds what is not to leave the host.</summary>
public interface IRedaction
{
    /// <summary>What stands in the line in place of each match.</summary>
    ReadOnlyMemory<byte> Replacement { get; }

    /// <summary>Adds all matches in a line: in order, none empty, none in another.</summary>
    void Find(ReadOnlySpan<byte> line, ICollection<RedactionMatch> matches);
}

/// <summary>A match of a redaction in a line, in bytes. It is one for as long as the line holds all of it.</summary>
/// <param name="Begin">Index of its first byte.</param>
/// <param name="Replaced">Index of the first byte that is replaced: what a secret is known by may stay.</param>
/// <param name="End">Index behind its last byte.</param>
public readonly record struct RedactionMatch(int Begin, int Replaced, int End);
