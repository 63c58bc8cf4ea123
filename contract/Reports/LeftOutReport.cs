namespace LogPipeline.Contract.Reports;

/// <summary>Lines of one file that an agent read and that are in no record, though no filter names them: the answer to why they are missing.</summary>
public sealed record LeftOutReport
{
    /// <summary>The path the file was first seen by, which is the header <c>file</c>.</summary>
    public string FirstPath { get; init; } = "";

    public string Topic { get; init; } = "";

    /// <summary>16 hexadecimal digits.</summary>
    public string Generation { get; init; } = "";

    /// <summary>Where reading began: what lies before was not to be read.</summary>
    public long Begin { get; init; }

    /// <summary>Position up to which all is acked, or left out.</summary>
    public long Acked { get; init; }

    /// <summary>Records that a broker refused for good: they are in the file <c>dead-letters</c> of the agent's state directory.</summary>
    public long DeadLetters { get; init; }

    /// <summary>Lines beyond <c>rate_limit</c>.</summary>
    public long LimitedLines { get; init; }

    /// <summary>Bytes of the file that those take.</summary>
    public long LimitedBytes { get; init; }
}
