using System.Globalization;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// What a rotation puts into a file's name: a date, a count, or a date and a count of the rotations of that day. Dates tell the order in which files had
/// the name: <c>access.log-20261125</c> was rotated before <c>access.log-20261126</c>. Counts alone do not: with logrotate <c>app.log.1</c> is
/// the newest, with NLog, log4j2 and logback the highest number is.
/// </summary>
internal sealed record RotationName
{
    /// <summary>A count of rotations has fewer digits than a date.</summary>
    private const int CountDigitsMax = 5;

    /// <summary>The digits of a year, a month and a day.</summary>
    private const int DateDigits = 8;

    private static readonly string[] Archives = [".gz", ".zst", ".bz2", ".xz"];

    private readonly string _date;
    private readonly int? _count;
    private readonly bool _isAppended;

    private RotationName(string date, int? count, bool isAppended) => (_date, _count, _isAppended) = (date, count, isAppended);

    /// <summary>Of a file that had its name from the start.</summary>
    public static RotationName None { get; } = new("", null, false);

    /// <summary>Returns the mark of a name, if it is one that a rotation gives to a file that was called <paramref name="original"/>; else null.</summary>
    public static RotationName? Of(string name, string original) => PartsOf(name).FirstOrDefault(part => part.Original == original).Mark;

    /// <summary>The names that a file may have had to which a rotation gave this one, each with its mark.</summary>
    public static IEnumerable<(string Original, RotationName Mark)> PartsOf(string name)
    {
        string plain = Archives.FirstOrDefault(suffix => name.EndsWith(suffix, StringComparison.Ordinal)) is string archive ? name[..^archive.Length] : name;
        foreach ((string original, string mark) in CopyNames.PartsOf(plain))
        {
            if (OfMark(mark, plain.EndsWith(mark, StringComparison.Ordinal)) is RotationName rotation)
            {
                yield return (original, rotation);
            }
        }
    }

    /// <summary>Whether the file of this name may have been rotated later; false as well where the two are not of one kind.</summary>
    public bool MayBeLaterThan(RotationName other)
    {
        if (_isAppended != other._isAppended || _date.Length == 0 != (other._date.Length == 0))
        {
            return false;
        }
        int order = string.CompareOrdinal(_date, other._date);
        return order > 0 || (order == 0 && _count != other._count);
    }

    /// <summary>
    /// Sorts by the time of the rotation, the earliest first. Where the dates do not tell, the time at which each file was written last does; where that
    /// is the same, a day's counts rise, and those without a date fall.
    /// </summary>
    public static int Compare((RotationName Name, long ModifiedTime) a, (RotationName Name, long ModifiedTime) b)
    {
        int byDate = string.CompareOrdinal(a.Name._date, b.Name._date);
        int byTime = byDate != 0 ? byDate : a.ModifiedTime.CompareTo(b.ModifiedTime);
        int byCount = Nullable.Compare(a.Name._count, b.Name._count);
        return byTime != 0 ? byTime : a.Name._date.Length > 0 ? byCount : -byCount;
    }

    private static RotationName? OfMark(string mark, bool isAppended)
    {
        int digits = mark.Count(char.IsAsciiDigit);
        if (digits == mark.Length && digits is > 0 and <= CountDigitsMax)
        {
            return new RotationName("", int.Parse(mark, CultureInfo.InvariantCulture), isAppended);
        }
        if (digits <= CountDigitsMax || !char.IsAsciiDigit(mark[0]) || !mark.All(static c => char.IsAsciiDigit(c) || "-_.:T".Contains(c, StringComparison.Ordinal)))
        {
            return null;
        }
        int end = mark.Length - mark.AsSpan().LastIndexOfAnyExceptInRange('0', '9') - 1;
        bool hasCount = end is > 0 and <= CountDigitsMax && digits - end >= DateDigits;
        return hasCount
            ? new RotationName(mark[..^(end + 1)], int.Parse(mark.AsSpan(mark.Length - end), CultureInfo.InvariantCulture), isAppended)
            : new RotationName(mark, null, isAppended);
    }
}
