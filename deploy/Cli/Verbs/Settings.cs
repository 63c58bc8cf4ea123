using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Verbs;

/// <summary>Reads <c>--set KEY=VALUE</c>.</summary>
internal static class Settings
{
    public static IReadOnlyList<KeyValuePair<string, string>> Parse(IReadOnlyList<string>? pairs)
    {
        var settings = new List<KeyValuePair<string, string>>();
        foreach (string pair in pairs ?? [])
        {
            int sign = pair.IndexOf('=');
            if (sign <= 0)
            {
                throw new ConfigurationException($"--set {pair}: write it as KEY=VALUE, such as num.partitions=4");
            }
            settings.Add(KeyValuePair.Create(pair[..sign].Trim(), pair[(sign + 1)..].Trim()));
        }
        return settings;
    }
}
