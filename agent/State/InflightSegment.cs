namespace LogPipeline.Agent.State;

/// <summary>What is in one in-flight file.</summary>
internal sealed class InflightSegment(int id)
{
    public int Id { get; } = id;

    public long Bytes { get; set; }

    /// <summary>Entries in it that are not acked.</summary>
    public int Unacked { get; set; }

    /// <summary>The newest ack in it, its making or its finding, in ticks of the time provider.</summary>
    public long LastAck { get; set; }
}
