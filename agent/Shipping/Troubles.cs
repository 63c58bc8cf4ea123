using System.Globalization;

namespace LogPipeline.Agent.Shipping;

/// <summary>What keeps topics and logs from being served: each with the latest reason and the time since when. Owned by the agent's loop.</summary>
internal sealed class Troubles(TimeProvider time)
{
    private readonly SortedDictionary<string, Trouble> _current = new(StringComparer.Ordinal);

    /// <summary>Notes why a subject is not served; true when that was not known before, and should be told.</summary>
    public bool Report(string subject, string reason)
    {
        bool isKnown = _current.TryGetValue(subject, out Trouble before);
        _current[subject] = isKnown ? before with { Reason = reason } : Trouble.Now(reason, time);
        return !isKnown || before.Reason != reason;
    }

    /// <summary>The subject is served. Returns how long it was not; null when it was all the time.</summary>
    public TimeSpan? Clear(string subject) =>
        _current.Remove(subject, out Trouble before) ? before.Lasts(time) : null;

    /// <summary>The reason why a subject is not served; null when it is, or nothing was tried.</summary>
    public string? ReasonOf(string subject) => _current.TryGetValue(subject, out Trouble trouble) ? trouble.Reason : null;

    /// <summary>One line for each reason that has lasted for longer than <paramref name="patience"/>.</summary>
    public IEnumerable<string> Problems(TimeSpan patience) => _current
        .Where(trouble => trouble.Value.Lasts(time) >= patience)
        .GroupBy(static trouble => trouble.Value.Reason)
        .Select(static reason => $"{Named([.. reason.Select(static trouble => trouble.Key)])} not served since {Trouble.Show(reason.Min(static t => t.Value.At))}: {reason.Key}");

    private static string Named(IReadOnlyList<string> subjects) =>
        subjects.Count <= 3 ? string.Join(", ", subjects) : $"{string.Join(", ", subjects.Take(3))} and {subjects.Count - 3} more";
}

/// <summary>Something that does not work, and since when.</summary>
/// <param name="Reason">The latest reason, for people.</param>
/// <param name="At">When it began, as the wall clock said.</param>
/// <param name="Since">The same as a timestamp, since the wall clock jumps.</param>
internal readonly record struct Trouble(string Reason, DateTimeOffset At, long Since)
{
    public static Trouble Now(string reason, TimeProvider time) => new(reason, time.GetUtcNow(), time.GetTimestamp());

    public TimeSpan Lasts(TimeProvider time) => time.GetElapsedTime(Since);

    public static string Show(DateTimeOffset at) => at.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
