namespace LogPipeline.Client.Producing;

/// <summary>Chooses partitions for records that name none. Called under the producer's lock, so it needs none of its own.</summary>
public interface IPartitioner
{
    /// <summary>A partition from 0 to <paramref name="partitionCount"/> - 1, or -1 for "sticky: the producer's current one".</summary>
    int Choose(in ProducerRecord record, long timestampMs, int partitionCount, Random random);
}
