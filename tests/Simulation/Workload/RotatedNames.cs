using System.Globalization;

namespace LogPipeline.Simulation.Workload;

/// <summary>The names that a server gives to its rotated files.</summary>
/// <param name="habits">Whether names shift, as by logrotate's default, or are dated, or count up.</param>
/// <param name="rotated">The rotated files that are there.</param>
internal sealed class RotatedNames(WriterHabits habits, IReadOnlyCollection<LogFile> rotated)
{
    private int _rotations;

    /// <summary>A name for the file that a path names now. Where names shift, the earlier ones get theirs.</summary>
    public string Next(string path)
    {
        if (!habits.ShiftNames)
        {
            return habits.Compress > 0 ? Dated(path) : Numbered(path, ++_rotations);
        }
        string prefix = path + ".";
        foreach ((LogFile file, int number) in rotated
            .Where(file => file.Path.StartsWith(prefix, StringComparison.Ordinal))
            .Select(file => (file, int.Parse(file.Path.AsSpan(prefix.Length).TrimEnd(Gzip.Suffix), CultureInfo.InvariantCulture)))
            .OrderByDescending(static rotated => rotated.Item2).ToList())
        {
            file.RenameTo(Numbered(path, number + 1) + (file.IsPacked ? Gzip.Suffix : ""));
        }
        return Numbered(path, 1);
    }

    private string Dated(string path) => string.Create(CultureInfo.InvariantCulture, $"{path}-20261128-{++_rotations:D6}");

    private static string Numbered(string path, int number) => string.Create(CultureInfo.InvariantCulture, $"{path}.{number}");
}
