namespace LogPipeline.Cli.Configuration;

/// <summary>Where a path leads: two texts may name one place, by links and by <c>..</c>.</summary>
internal static class RealPath
{
    /// <summary>As many as Linux follows.</summary>
    private const int LinksMax = 40;

    /// <summary>Follows links as far as the path is there; what is not there yet is taken as it is written.</summary>
    public static string Of(string path) => Of(Path.Combine(Environment.CurrentDirectory, path), LinksMax);

    private static string Of(string path, int links)
    {
        string place = Path.GetPathRoot(path)!;
        foreach (string name in path[place.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            place = name switch
            {
                "." => place,
                ".." => Path.GetDirectoryName(place) ?? place,
                _ when links > 0 && LinkTarget(Path.Combine(place, name)) is { } target => Of(Path.Combine(place, target), links - 1),
                _ => Path.Combine(place, name),
            };
        }
        return place;
    }

    private static string? LinkTarget(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception unseen) when (unseen is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
