namespace LogPipeline.Simulation.Workload;

/// <summary>How a server's applications and its logrotate behave. Chances are per write.</summary>
internal sealed class WriterHabits
{
    public TimeSpan PauseMax { get; set; } = TimeSpan.FromSeconds(1);

    public int LinesMax { get; set; } = 4;

    public double Sync { get; set; } = 0.1;

    /// <summary>Leaves a line half written until the next write.</summary>
    public double Halves { get; set; } = 0.1;

    public double Rename { get; set; }

    public double CopyTruncate { get; set; }

    /// <summary>Whether the newest rotated file is always number 1 and all others move up by one, logrotate's way; else numbers only rise.</summary>
    public bool ShiftNames { get; set; }

    /// <summary>Whether the agent looks for files only under the names under which they are written.</summary>
    public bool IsFoundByCurrentName { get; set; }

    /// <summary>Compresses a rotated file.</summary>
    public double Compress { get; set; }

    /// <summary>How long logrotate may take from the copy to the cut.</summary>
    public TimeSpan CopyGapMax { get; set; } = TimeSpan.FromSeconds(2);

    public double Truncate { get; set; }

    /// <summary>Deletes the file and makes a new one at once: mostly the same inode number.</summary>
    public double Recreate { get; set; }

    public double DeleteRotated { get; set; }
}
