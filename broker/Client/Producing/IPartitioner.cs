namespace LogPipeline.Client.Producing;

/// <summary>Chooses partitions for records that name none. Called under the producer's lock, so it needs none of its own.</summary>
public interface IPartitioner
{
    /// <summary>The answer "the producer's current one": it changes when a batch's worth of bytes went there.</summary>
    const int Sticky = -1;

    /// <summary>A partition from 0 to <paramref name="partitionCount"/> - 1, or <see cref="Sticky"/>.</summary>
    int Choose(in ProducerRecord record, long timestampMs, int partitionCount, Random random);
}
