using System.Globalization;
using LogPipeline.Client;

namespace LogPipeline.Cli.OffsetResets;

/// <summary>Kafka's file of offsets: a line <c>topic,partition,offset</c> each, or <c>group,topic,partition,offset</c> where it speaks of several groups.</summary>
internal static class ResetFile
{
    /// <exception cref="InvalidDataException">A line is neither; the message has its number.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IReadOnlyList<ResetLine> Read(string path)
    {
        var lines = new List<ResetLine>();
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }
            string[] cells = [.. line.Split(',').Select(static cell => cell.Trim().Trim('"'))];
            if (cells.Length is not (3 or 4)
                || !int.TryParse(cells[^2], NumberStyles.None, CultureInfo.InvariantCulture, out int partition)
                || !long.TryParse(cells[^1], NumberStyles.None, CultureInfo.InvariantCulture, out long offset))
            {
                throw new InvalidDataException($"{path}:{number}: '{line}' is not topic,partition,offset or group,topic,partition,offset");
            }
            lines.Add(new ResetLine(cells.Length == 4 ? cells[0] : "", new TopicPartition(cells[^3], partition), offset));
        }
        return lines;
    }

    /// <param name="line">What to write.</param>
    /// <param name="withGroup">Whether the file speaks of several groups.</param>
    public static string Format(ResetLine line, bool withGroup) => string.Create(
        CultureInfo.InvariantCulture, $"{(withGroup ? line.Group + "," : "")}{line.Partition.Topic},{line.Partition.Partition},{line.Offset}");
}
