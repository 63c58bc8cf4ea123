using System.Globalization;
using System.Text;
using LogPipeline.Files;

namespace LogPipeline.Storage.Checkpoints;

/// <summary>
/// Kafka's checkpoint files, replaced whole. UTF-8 text:
/// <code>
/// 0                        version
/// 2                        entries
/// web_log 0 4711           one entry a line, fields separated by a space
/// web_log 1 815
/// </code>
/// </summary>
internal static class TextCheckpoint
{
    public static void Write(IFileSystem files, string path, IReadOnlyCollection<string> entries)
    {
        StringBuilder text = new StringBuilder("0\n").Append(entries.Count.ToString(CultureInfo.InvariantCulture)).Append('\n');
        foreach (string entry in entries)
        {
            text.Append(entry).Append('\n');
        }
        AtomicFile.Replace(files, path, Encoding.UTF8.GetBytes(text.ToString()));
    }

    /// <summary>The entries' fields; empty when there is no file.</summary>
    /// <exception cref="InvalidDataException">The file is not of this form.</exception>
    public static List<string[]> Read(IFileSystem files, string path)
    {
        byte[]? bytes = AtomicFile.ReadAll(files, path);
        if (bytes is null)
        {
            return [];
        }
        string[] lines = Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length < 2 || lines[0] != "0" || lines[1] != (lines.Length - 2).ToString(CultureInfo.InvariantCulture))
        {
            throw new InvalidDataException($"{path} is not a checkpoint of version 0 with as many entries as it says.");
        }
        return [.. lines.Skip(2).Select(static line => line.Split(' '))];
    }
}
