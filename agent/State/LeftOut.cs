namespace LogPipeline.Agent.State;

/// <summary>Bytes that the agent read, or passed over, and that are in no record.</summary>
internal readonly record struct LeftOut(long Records, long Bytes, ulong Sum)
{
    public static LeftOut operator +(LeftOut a, LeftOut b) => new(a.Records + b.Records, a.Bytes + b.Bytes, a.Sum + b.Sum);

    public void Write(StateWriter to)
    {
        to.Int64(Records);
        to.Int64(Bytes);
        to.UInt64(Sum);
    }

    public static LeftOut Read(ref StateReader from) => new(from.Int64(), from.Int64(), from.UInt64());
}
