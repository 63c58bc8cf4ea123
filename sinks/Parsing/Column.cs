namespace LogPipeline.Sinks.Parsing;

/// <summary>What a parsed column holds, and how its <see cref="Field"/> carries it.</summary>
public enum ColumnKind
{
    /// <summary>UTF-8 without NUL: bytes of the line or of the scratch.</summary>
    Text,

    /// <summary>32 bits.</summary>
    Integer,

    /// <summary>64 bits.</summary>
    BigInteger,

    /// <summary>A finite number.</summary>
    Double,

    Boolean,

    /// <summary>Microseconds since 1970, UTC, within the years 1 to 9999.</summary>
    Time,

    /// <summary>An IP address: 4 or 16 bytes of the scratch, in network order.</summary>
    Address,

    /// <summary>JSON text that PostgreSQL's jsonb takes: no <c>\u0000</c>, no lone surrogate, no number beyond numeric's range.</summary>
    Json,
}

/// <summary>A column that a parser fills.</summary>
public readonly record struct Column(string Name, ColumnKind Kind);
