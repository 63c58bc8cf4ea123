using System.Globalization;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// What a rotation puts into a file's name, which tells the order in which files had that name: <c>access.log.2.gz</c> was rotated before
/// <c>access.log.1</c>, and <c>access.log-20261125</c> before <c>access.log-20261126</c>.
/// </summary>
internal sealed record RotationName
{
    /// <summary>A count of rotations has fewer digits than a date.</summary>
    private const int CountDigitsMax = 5;

    private static readonly string[] Archives = [".gz", ".zst", ".bz2", ".xz"];

    private readonly string _mark;
    private readonly int? _count;

    private RotationName(string mark, int? count) => (_mark, _count) = (mark, count);

    /// <summary>Returns the mark of a name, if it is one that a rotation gives to a file that was called <paramref name="original"/>; else null.</summary>
    public static RotationName? Of(string name, string original) => PartsOf(name).FirstOrDefault(part => part.Original == original).Mark;

    /// <summary>The names that a file may have had to which a rotation gave this one, each with its mark.</summary>
    public static IEnumerable<(string Original, RotationName Mark)> PartsOf(string name)
    {
        string plain = Archives.FirstOrDefault(suffix => name.EndsWith(suffix, StringComparison.Ordinal)) is string archive ? name[..^archive.Length] : name;
        foreach ((string original, string mark) in CopyNames.PartsOf(plain))
        {
            if (OfMark(mark) is RotationName rotation)
            {
                yield return (original, rotation);
            }
        }
    }

    /// <summary>Whether the file of this name was rotated later; false as well where the two are not of one kind.</summary>
    public bool IsLaterThan(RotationName other) => (_count, other._count) switch
    {
        (int own, int others) => own < others,
        (null, null) => string.CompareOrdinal(_mark, other._mark) > 0,
        _ => false,
    };

    /// <summary>Sorts by the time of the rotation, the earliest first.</summary>
    public static int Compare(RotationName a, RotationName b) => a.IsLaterThan(b) ? 1 : b.IsLaterThan(a) ? -1 : 0;

    private static RotationName? OfMark(string mark)
    {
        int digits = mark.Count(char.IsAsciiDigit);
        if (digits == mark.Length && digits is > 0 and <= CountDigitsMax)
        {
            return new RotationName(mark, int.Parse(mark, CultureInfo.InvariantCulture));
        }
        bool isDate = digits > CountDigitsMax && char.IsAsciiDigit(mark[0]) && mark.All(static c => char.IsAsciiDigit(c) || "-_.:T".Contains(c, StringComparison.Ordinal));
        return isDate ? new RotationName(mark, null) : null;
    }
}
