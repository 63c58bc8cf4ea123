namespace LogPipeline.Simulation.Database;

/// <summary>What the sink's table takes.</summary>
public sealed class TableRules
{
    /// <summary>A value that holds these bytes is refused unless people see to it.</summary>
    public static ReadOnlySpan<byte> Poison => "POISON"u8;

    /// <summary>Whether a row of this value is taken; one that is not becomes a dead letter.</summary>
    public Predicate<byte[]> Constraint { get; set; } = NoPoison;

    /// <summary>Whether it refuses every flush, as a table does whose column was altered: the sink stops then, and is started again.</summary>
    public bool RefusesAll { get; set; }

    public static bool NoPoison(byte[] value) => value.AsSpan().IndexOf(Poison) < 0;
}
