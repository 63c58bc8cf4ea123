namespace LogPipeline.Files;

/// <summary>Finds what a misspelt name was meant to be: the known name with the fewest letters added, left out, changed or swapped.</summary>
public static class NearestName
{
    /// <summary>Returns the known name nearest to <paramref name="word"/>, or null when more than half of the letters differ from each.</summary>
    public static string? Find(string word, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(word);
        ArgumentNullException.ThrowIfNull(known);
        (string? best, int distance) = ((string?)null, int.MaxValue);
        foreach (string candidate in known)
        {
            int d = Distance(word.ToLowerInvariant(), candidate);
            if (d < distance)
            {
                (best, distance) = (candidate, d);
            }
        }
        return best is not null && distance <= Math.Max(word.Length, best.Length) / 2 ? best : null;
    }

    // Damerau-Levenshtein distance; only the last three rows of its table are kept.
    private static int Distance(string a, string b)
    {
        (int[] before, int[] previous, int[] current) = (new int[b.Length + 1], new int[b.Length + 1], new int[b.Length + 1]);
        for (int j = 0; j <= b.Length; j++)
        {
            previous[j] = j;
        }
        for (int i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int change = a[i - 1] == b[j - 1] ? 0 : 1;
                current[j] = Math.Min(Math.Min(previous[j] + 1, current[j - 1] + 1), previous[j - 1] + change);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    current[j] = Math.Min(current[j], before[j - 2] + 1);
                }
            }
            (before, previous, current) = (previous, current, before);
        }
        return previous[b.Length];
    }
}
