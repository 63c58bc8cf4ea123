namespace LogPipeline.Broker.Groups;

// Every function takes one pass over all names, since a member may offer a thousand.
/// <summary>Which assignment protocol a group uses: one that all members know, and that most of them prefer.</summary>
internal static class ProtocolChoice
{
    /// <summary>By how many members each protocol is known.</summary>
    public static Dictionary<string, int> Supporters(IEnumerable<IEnumerable<string>> members)
    {
        var supporters = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string name in members.SelectMany(names => names.Distinct(StringComparer.Ordinal)))
        {
            supporters[name] = supporters.GetValueOrDefault(name) + 1;
        }
        return supporters;
    }

    /// <summary>
    /// Each member votes for the first of its protocols that all know. The most votes win; of several, the one that the first member
    /// prefers. Null when no protocol is known to all.
    /// </summary>
    /// <param name="members">The protocols of each member, by preference.</param>
    public static string? Choose(IReadOnlyList<IEnumerable<string>> members)
    {
        Dictionary<string, int> supporters = Supporters(members);
        var votes = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (IEnumerable<string> names in members)
        {
            if (names.FirstOrDefault(IsCommon) is { } favourite)
            {
                votes[favourite] = votes.GetValueOrDefault(favourite) + 1;
            }
        }
        return members[0].Where(IsCommon).MaxBy(name => votes.GetValueOrDefault(name));

        bool IsCommon(string name) => supporters[name] == members.Count;
    }
}
