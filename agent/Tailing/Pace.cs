namespace LogPipeline.Agent.Tailing;

/// <summary>
/// How fast a file is sent, how far behind it is in time, and whether its reading stands still: from one <see cref="Note"/> a second while
/// it is active.
/// </summary>
internal sealed class Pace
{
    /// <summary>A file that was not noted for longer was not active.</summary>
    private static readonly TimeSpan QuietMin = TimeSpan.FromSeconds(10);

    private readonly Throughput _throughput = new();
    private bool _isNoted;
    private long _noted;
    private long _acked;
    private long _read;
    private long _movedAt;
    private long _markedSize;
    private long _markedAt;

    /// <summary>Bytes acked in a second.</summary>
    public double Rate => _throughput.Rate;

    /// <summary>Bytes that were acked between the last two notes.</summary>
    public long AckedSince { get; private set; }

    /// <summary>
    /// How long the oldest byte that is not acked has been in the file, at least: a size is marked, and a new one as soon as the file is
    /// acked up to it.
    /// </summary>
    public TimeSpan Behind { get; private set; }

    /// <summary>How long nothing was read, though there was something to read.</summary>
    public TimeSpan Still { get; private set; }

    /// <summary>The rate now: 0 where it is not noted any more, since nothing is to be sent.</summary>
    public double RateAt(TimeProvider time) => time.GetElapsedTime(_noted) < QuietMin ? Rate : 0;

    public void Note(TailedFile file, TimeProvider time)
    {
        long now = time.GetTimestamp();
        long acked = file.Generation.Acked.Position;
        long read = file.Generation.Read.Position;
        bool isFirst = !_isNoted;
        AckedSince = isFirst ? 0 : acked - _acked;
        TimeSpan passed = isFirst ? TimeSpan.Zero : time.GetElapsedTime(_noted, now);
        _throughput.Note(Math.Max(0, AckedSince), passed);
        bool wasQuiet = passed > QuietMin; // it was not noted then
        if (isFirst || wasQuiet || read != _read || file.IsAtEnd)
        {
            _movedAt = now;
        }
        Still = time.GetElapsedTime(_movedAt, now);
        if (isFirst || acked >= _markedSize || (file.IsAtEnd && acked == read))
        {
            (_markedSize, _markedAt) = (file.Size, now);
        }
        Behind = time.GetElapsedTime(_markedAt, now);
        (_isNoted, _noted, _acked, _read) = (true, now, acked, read);
    }
}
