namespace LogPipeline.Client.Producing;

/// <summary>A topic's current sticky partition. Guarded by the producer's lock.</summary>
internal sealed class StickyChoice
{
    private int _partition = -1;
    private long _bytes;

    /// <summary>The partition for a record of so many bytes; another one after <paramref name="bytesMax"/>.</summary>
    public int Next(int partitionCount, int bytes, int bytesMax, Random random)
    {
        if (_partition < 0 || _partition >= partitionCount || _bytes >= bytesMax)
        {
            // Never the same twice in a row, where there is a choice.
            int step = partitionCount > 1 && _partition >= 0 ? 1 + random.Next(partitionCount - 1) : random.Next(partitionCount);
            _partition = (Math.Max(_partition, 0) + step) % partitionCount;
            _bytes = 0;
        }
        _bytes += bytes;
        return _partition;
    }
}
