using System.Collections;

namespace LogPipeline.Hosting.Configuration;

/// <summary>Finds and reads the one file that configures every process, with the environment's overrides laid over it.</summary>
public static class ConfigurationFile
{
    /// <summary>Looked for in this order when no file is named.</summary>
    public static readonly IReadOnlyList<string> DefaultPaths = ["logpipe.yaml", "data/logpipe.yaml", "/etc/logpipe/logpipe.yaml"];

    /// <summary>Reads the file named, or the first of the default paths, or nothing but the environment when there is none.</summary>
    /// <exception cref="ConfigurationException">The file named is absent or unreadable, or is not YAML.</exception>
    public static ConfigurationSection Load(string? path)
    {
        path = PathOf(path);
        return path is null ? Read("", "logpipe.yaml", ProcessEnvironment()) : Read(ReadText(path), path, ProcessEnvironment());
    }

    /// <summary>The file that <see cref="Load"/> reads; null when there is no file.</summary>
    public static string? PathOf(string? path) => path ?? DefaultPaths.FirstOrDefault(File.Exists);

    /// <summary>Reads configuration text as if it stood in <paramref name="file"/>.</summary>
    public static ConfigurationSection Read(string text, string file, IEnumerable<KeyValuePair<string, string>> environment)
    {
        MapNode root = YamlTree.Read(text, file);
        EnvironmentOverrides.Apply(root, environment);
        return new ConfigurationSection(root, "");
    }

    private static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ConfigurationException($"{path}: no such configuration file; name one with --config, or start from deploy/config/logpipe.yaml");
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new ConfigurationException($"{path}: cannot be read: {e.Message}");
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> ProcessEnvironment()
    {
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            yield return KeyValuePair.Create((string)variable.Key, (string?)variable.Value ?? "");
        }
    }
}
