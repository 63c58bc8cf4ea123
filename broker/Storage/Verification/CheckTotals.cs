namespace LogPipeline.Storage.Verification;

/// <summary>How much a check has read so far.</summary>
public sealed class CheckTotals
{
    public int Partitions { get; internal set; }

    public int Segments { get; internal set; }

    public long Batches { get; internal set; }

    public long Records { get; internal set; }

    /// <summary>Bytes of segment files, of <see cref="BytesInAll"/>.</summary>
    public long Bytes { get; internal set; }

    public long BytesInAll { get; internal set; }

    /// <summary>Bytes behind the last sound batch of logs that a crash left as they are: the next start cuts them, or has them in the commit journal.</summary>
    public long TornBytes { get; internal set; }
}
