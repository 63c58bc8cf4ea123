using System.Globalization;
using System.Text;
using LogPipeline.Files;

namespace LogPipeline.Storage.Checkpoints;

/// <summary>Small files of "key=value" or "key: value" lines, replaced whole: meta.properties, partition.metadata, broker.checkpoint.</summary>
internal static class Properties
{
    public static Dictionary<string, string>? Read(IFileSystem files, string path)
    {
        byte[]? bytes = AtomicFile.ReadAll(files, path);
        if (bytes is null)
        {
            return null;
        }
        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in Encoding.UTF8.GetString(bytes).Split('\n'))
        {
            int end = line.IndexOfAny(['=', ':']);
            if (end > 0 && line[0] != '#')
            {
                properties[line[..end].Trim()] = line[(end + 1)..].Trim();
            }
        }
        return properties;
    }

    public static void Write(IFileSystem files, string path, params ReadOnlySpan<string> lines) =>
        AtomicFile.Replace(files, path, Encoding.UTF8.GetBytes(string.Join('\n', lines!) + "\n"));

    public static long Number(Dictionary<string, string> properties, string key, string path) =>
        properties.TryGetValue(key, out string? text) && long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw new InvalidDataException($"{path} has no number {key}.");
}
