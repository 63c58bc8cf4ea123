namespace LogPipeline.Sinks.Ledger;

/// <summary>
/// Whether a process may take a sink's table over to its configuration. It may until its first store is open: a person who starts a process with
/// another configuration wants that, so the process that was started last wins. One that is at work and finds another configuration in the
/// ledger is the one with the older; if it took the table back, two of them would do so for ever. One that is at work and finds no ledger makes
/// none either: its database is about to be restored, and what it made there would be in the way. One for all stores that a process opens for
/// a sink, one after another.
/// </summary>
public sealed class MigrationRight
{
    private bool _isSpent;

    /// <summary>The right of a tool that works beside the sink: it takes the table as it is.</summary>
    public static MigrationRight None => new() { _isSpent = true };

    public bool MayMigrate => !Volatile.Read(ref _isSpent);

    /// <summary>The process's configuration is the ledger's.</summary>
    public void Spend() => Volatile.Write(ref _isSpent, true);
}
