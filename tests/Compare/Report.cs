namespace LogPipeline.Compare;

/// <summary>Prints what was found.</summary>
internal static class Report
{
    /// <summary>Prints a table of the differences from one Kafka, the listed ones with their reasons.</summary>
    /// <returns>How many are not listed.</returns>
    public static int Print(string kafka, List<Difference> found, List<KnownDifference> list)
    {
        int unlisted = 0;
        foreach (IGrouping<string, Difference> api in found.GroupBy(static one => one.Api))
        {
            Console.WriteLine($"{api.Key}");
            foreach (Difference one in api)
            {
                KnownDifference? known = list.Find(candidate => candidate.Matches(kafka, one));
                if (known is null)
                {
                    unlisted++;
                }
                else
                {
                    known.IsUsed = true;
                }
                Console.WriteLine($"  {(known is null ? "NOT LISTED" : "listed"),-10}  {one.Question,-40} v{one.Versions,-6} {one.Field}: ours {one.Ours}, Kafka's {one.Kafkas}{(known is null ? "" : $" ({known.Reason})")}");
            }
        }
        return unlisted;
    }

    /// <summary>Prints which lines of the list tell of nothing that was found, when Kafka of their version was asked.</summary>
    public static int PrintUnused(List<KnownDifference> list, string[] asked)
    {
        List<KnownDifference> unused = [.. list.Where(known => !known.IsUsed && (asked.Length == 0 || asked.Contains(known.Kafka)))];
        foreach (KnownDifference known in unused)
        {
            Console.WriteLine($"Listed, and not there any more: {known.Kafka} | {known.Api} | {known.Question} | {known.Field}");
        }
        return unused.Count;
    }
}
