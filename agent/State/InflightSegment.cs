namespace LogPipeline.Agent.State;

/// <summary>What is in one in-flight file.</summary>
internal sealed class InflightSegment(int id)
{
    public int Id { get; } = id;

    public long Bytes { get; set; }

    /// <summary>Entries in it that are not acked.</summary>
    public int Unacked { get; set; }

    /// <summary>
    /// When it was made, found or closed, or an entry in it was acked last, in ticks of the time provider. A snapshot of the registry
    /// that was put together later has all that it says, once it is closed and all its entries are acked.
    /// </summary>
    public long LastChange { get; set; }
}
