namespace LogPipeline.Agent.Tailing;

/// <summary>
/// The names that a rotation gives to copies. logrotate appends to the whole name (<c>app.log.1</c>, <c>app.log-20261126</c>), or, told of an
/// extension, puts the same before it (<c>app.1.log</c>). So <c>app10.log</c> is no copy of <c>app1.log</c>.
/// </summary>
internal static class CopyNames
{
    private const string Separators = ".-_~";

    /// <summary>The names that a file may have had of which <paramref name="name"/> is a copy, the longest first.</summary>
    public static IEnumerable<string> OriginalsOf(string name) => PartsOf(name).Select(static part => part.Original);

    /// <summary>The names that a file may have had of which <paramref name="name"/> is a copy, the longest first, each with what was put into it behind a separator.</summary>
    public static IEnumerable<(string Original, string Mark)> PartsOf(string name)
    {
        for (int end = name.Length - 1; end > 0; end--)
        {
            if (Separators.Contains(name[end], StringComparison.Ordinal))
            {
                string stem = name[..end];
                yield return (stem, name[(end + 1)..]);
                for (int dot = name.IndexOf('.', end + 1); dot >= 0; dot = name.IndexOf('.', dot + 1))
                {
                    yield return (stem + name[dot..], name[(end + 1)..dot]);
                }
            }
        }
    }

    /// <summary>Whether a name is one that a copy of <paramref name="original"/> may have.</summary>
    public static bool IsCopyOf(string name, string original)
    {
        if (IsBefore(original, name))
        {
            return true;
        }
        for (int dot = original.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = original.IndexOf('.', dot + 1))
        {
            ReadOnlySpan<char> extension = original.AsSpan(dot);
            if (IsBefore(original.AsSpan(0, dot), name) && name.Length > original.Length && name.AsSpan().EndsWith(extension, StringComparison.Ordinal))
            {
                return true;
            }
        }
        return false;
    }

    private static bool IsBefore(ReadOnlySpan<char> stem, string name) =>
        stem.Length > 0 && name.Length > stem.Length && name.AsSpan().StartsWith(stem, StringComparison.Ordinal)
        && Separators.Contains(name[stem.Length], StringComparison.Ordinal);
}
