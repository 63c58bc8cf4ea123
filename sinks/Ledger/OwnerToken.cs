namespace LogPipeline.Sinks.Ledger;

/// <summary>16 random bytes, fresh for each claim: who may advance a log's ledger row.</summary>
public readonly record struct OwnerToken(Guid Value)
{
    /// <summary>Nobody has claimed the row: it is new, or a change of the table took it from its owner.</summary>
    public static readonly OwnerToken Nobody;

    public static OwnerToken New(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        return new OwnerToken(new Guid(bytes));
    }
}
