namespace LogPipeline.Agent.Shipping;

/// <summary>Bounds the bytes of batches not yet acked, over all logs: in memory and in the in-flight file.</summary>
internal sealed class UnackedBudget(long bytesMax)
{
    public long Bytes { get; private set; }

    public bool HasRoom => Bytes < bytesMax;

    public void Take(int bytes) => Bytes += bytes;

    public void Give(int bytes) => Bytes -= bytes;
}
