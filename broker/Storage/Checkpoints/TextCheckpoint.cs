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
    /// <param name="files">The file system.</param>
    /// <param name="path">The file's path.</param>
    /// <param name="numbers">How many fields at an entry's end must be numbers; before them there is nothing or one topic name.</param>
    /// <param name="hasTopic">Whether an entry begins with a topic name.</param>
    /// <exception cref="InvalidDataException">The file is not of this form; the message is one line that names it.</exception>
    public static List<string[]> Read(IFileSystem files, string path, int numbers, bool hasTopic)
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
        int names = hasTopic ? 1 : 0;
        List<string[]> entries = [.. lines.Skip(2).Select(static line => line.Split(' '))];
        return entries.Find(entry => entry.Length != names + numbers || !entry.Skip(names).All(IsNumber)) is { } bad
            ? throw new InvalidDataException($"{path} is damaged: an entry reads {string.Join(' ', bad)}.")
            : entries;
    }

    private static bool IsNumber(string field) => long.TryParse(field, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
}
