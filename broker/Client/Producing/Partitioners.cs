using LogPipeline.Protocol;

namespace LogPipeline.Client.Producing;

/// <summary>The same key to the same partition as the Java client's; records without a key stick together for a batch's worth.</summary>
public sealed class KeyHashPartitioner : IPartitioner
{
    public int Choose(in ProducerRecord record, long timestampMs, int partitionCount, Random random) => record.Key is { } key
        ? (Murmur2.Hash(key.Span) & int.MaxValue) % partitionCount
        : IPartitioner.Sticky;
}

/// <summary>All records of a slice of time to one partition, the next slice to the next one: neighbours in time stay in order.</summary>
public sealed class TimeSlicePartitioner(TimeSpan slice) : IPartitioner
{
    private readonly long _sliceMs = slice >= TimeSpan.FromMilliseconds(1)
        ? (long)slice.TotalMilliseconds
        : throw new ArgumentOutOfRangeException(nameof(slice), slice, "a slice takes a millisecond at least");

    public int Choose(in ProducerRecord record, long timestampMs, int partitionCount, Random random) =>
        (int)(Math.Max(0, timestampMs) / _sliceMs % partitionCount);
}

/// <summary>Any partition, record by record.</summary>
public sealed class RandomPartitioner : IPartitioner
{
    public int Choose(in ProducerRecord record, long timestampMs, int partitionCount, Random random) => random.Next(partitionCount);
}

/// <summary>One partition for a batch's worth of records, then another by chance: full batches at even load. Keys do not matter.</summary>
public sealed class StickyPartitioner : IPartitioner
{
    public int Choose(in ProducerRecord record, long timestampMs, int partitionCount, Random random) => IPartitioner.Sticky;
}
