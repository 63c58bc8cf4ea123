namespace LogPipeline.Agent.Shaping;

/// <summary>Which lines are wanted: those that one of <c>include</c> matches, or all where there is none, without those that <c>exclude_lines</c> match.</summary>
internal sealed class LineFilter(IReadOnlyList<LinePattern> include, IReadOnlyList<LinePattern> exclude)
{
    public bool Keeps(ReadOnlySpan<byte> line) => (include.Count == 0 || Any(include, line)) && !Any(exclude, line);

    private static bool Any(IReadOnlyList<LinePattern> patterns, ReadOnlySpan<byte> line)
    {
        foreach (LinePattern pattern in patterns)
        {
            if (pattern.IsMatch(line))
            {
                return true;
            }
        }
        return false;
    }
}
