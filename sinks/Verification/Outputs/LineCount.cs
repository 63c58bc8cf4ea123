namespace LogPipeline.Sinks.Verification.Outputs;

/// <summary>How often a line is there, and how often it should be.</summary>
internal struct LineCount
{
    public int Found;

    /// <summary>By records that must have it.</summary>
    public int Expected;

    /// <summary>By records of which it may have been cut off: see <see cref="StretchDifference.MayBeCutOff"/>.</summary>
    public int AtEnd;

    public int Seen;

    /// <summary>The last record of the line.</summary>
    public int LastLog;
    public long LastOffset;

    /// <summary>By all records.</summary>
    public readonly int Records => Expected + AtEnd;

    /// <summary>How many of those at the end have no line.</summary>
    public readonly int CutOff => Math.Max(0, AtEnd - Math.Max(0, Found - Expected));
}
