namespace LogPipeline.Simulation.Database;

/// <summary>How the database misbehaves, each within what a real one may do.</summary>
public sealed class DatabaseFaults
{
    public TimeSpan LatencyMax { get; set; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Chance, per call, that it never reaches the server; its session ends.</summary>
    public double LostCall { get; set; }

    /// <summary>Chance, per call, that its answer is lost: the effect is there, the caller does not know.</summary>
    public double LostAnswer { get; set; }

    /// <summary>How long the server may take to notice that a client is gone; its locks are held until then.</summary>
    public TimeSpan NoticeMax { get; set; } = TimeSpan.FromSeconds(30);

    public void Heal() => LostCall = LostAnswer = 0;
}

/// <summary>Rules that a planted fault breaks, to see that the checker notices.</summary>
public sealed class DatabasePlants
{
    /// <summary>UPDATE logpipe_logs without its WHERE: any sink advances the ledger.</summary>
    public bool IgnoresLedgerCondition { get; set; }

    /// <summary>Dead letters that are tried again stay where they are.</summary>
    public bool KeepsTakenLetters { get; set; }

    /// <summary>Says that sources were updated and leaves them.</summary>
    public bool LeavesSources { get; set; }

    /// <summary>Commits rows and ledger one after the other: the end of a session in between keeps the rows alone.</summary>
    public bool RowsOutsideTransaction { get; set; }

    /// <summary>The ledger moves when the statement runs, not when the transaction commits.</summary>
    public bool LedgerOutsideTransaction { get; set; }

    /// <summary>A claim is answered with the offset of the claim before it.</summary>
    public bool StaleClaims { get; set; }

    /// <summary>Claims leave the owner as it was, so that two sinks hold one log.</summary>
    public bool ClaimsWithoutOwner { get; set; }
}
