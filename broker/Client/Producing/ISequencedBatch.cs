namespace LogPipeline.Client.Producing;

/// <summary>A record batch that a <see cref="PartitionWriter{TBatch}"/> puts in order. Its maker encodes it, with producer and sequence in place.</summary>
public interface ISequencedBatch
{
    /// <summary>Its records; where there are none, nothing is sent for it.</summary>
    int Count { get; }

    /// <summary>The sequence of its first record.</summary>
    int BaseSequence { get; }

    /// <summary>Whether it may be sent yet.</summary>
    bool IsReady { get; }

    /// <summary>Whether it was ever sent, so that the broker may have it.</summary>
    bool IsSent { get; set; }

    /// <summary>Whether it is sent and neither acknowledged nor back after a failure.</summary>
    bool IsInFlight { get; set; }
}
