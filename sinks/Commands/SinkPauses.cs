using System.Globalization;
using LogPipeline.Client;

namespace LogPipeline.Sinks.Commands;

/// <summary>What a person paused: the whole sink, a topic's partitions, or one partition. A row of <c>logpipe_pauses</c>.</summary>
/// <param name="Topic">Null for all topics.</param>
/// <param name="Partition">Null for all partitions.</param>
/// <param name="Since">When the sink took the command.</param>
/// <param name="By">Who gave it, such as <c>alice@web-1</c>.</param>
public sealed record SinkPause(string? Topic, int? Partition, DateTimeOffset Since, string By)
{
    public bool Holds(string topic, int partition) => (Topic is null || Topic == topic) && (Partition is null || Partition == partition);

    /// <summary>Such as <c>paused by alice@web-1 since 2026-11-21T08:30:00Z</c>.</summary>
    public override string ToString() =>
        $"{(Topic is null && Partition is null ? "" : $"{What(Topic, Partition)} ")}paused by {By} since {Since.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)}";

    internal static string What(string? topic, int? partition) =>
        (topic, partition) switch
        {
            (null, null) => "the sink",
            (_, null) => $"topic {topic}",
            (null, _) => $"partition {partition}",
            _ => $"{topic}-{partition}",
        };
}

/// <summary>
/// What of a running sink is paused by people. The sink reads no records of it and begins no flush with them; it stays in its group and keeps
/// its claims. Until it is known what is paused, everything is: a pause outlasts a restart. Any thread may call.
/// </summary>
public sealed class SinkPauses
{
    private volatile IReadOnlyList<SinkPause>? _pauses; // null until it is known
    private int _holds;

    /// <summary>Called when they are others.</summary>
    public event Action? Changed;

    /// <summary>Of a sink that nobody can pause.</summary>
    public static SinkPauses None()
    {
        var none = new SinkPauses();
        none.Set([]);
        return none;
    }

    public bool IsKnown => _pauses is not null;

    /// <summary>For people, in one line; null when nothing is paused.</summary>
    public string? Text => _pauses is { Count: > 0 } pauses ? string.Join("; ", pauses) : null;

    public bool Holds(TopicPartition partition) => Volatile.Read(ref _holds) > 0 || _pauses is not { } pauses || pauses.Any(pause => pause.Holds(partition.Topic, partition.Partition));

    /// <summary>Keeps the sink from storing for a moment, until the result is disposed: a step of a rebuild waits for that. It is nobody's pause, and told to nobody.</summary>
    public IDisposable Hold() => new MomentaryHold(this);

    public void Set(IReadOnlyList<SinkPause> pauses)
    {
        bool isSame = _pauses?.SequenceEqual(pauses) == true;
        _pauses = pauses;
        if (!isSame)
        {
            Changed?.Invoke();
        }
    }

    private sealed class MomentaryHold : IDisposable
    {
        private readonly SinkPauses _held;

        public MomentaryHold(SinkPauses held)
        {
            _held = held;
            Count(1);
        }

        public void Dispose() => Count(-1);

        private void Count(int by)
        {
            Interlocked.Add(ref _held._holds, by);
            _held.Changed?.Invoke();
        }
    }
}
