namespace LogPipeline.Storage;

/// <summary>How many damaged batches all logs of a data directory have found since the start.</summary>
internal sealed class DamageCount
{
    private long _batches;

    public long Batches => Interlocked.Read(ref _batches);

    public void Add() => Interlocked.Increment(ref _batches);
}
