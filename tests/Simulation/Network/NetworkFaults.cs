namespace LogPipeline.Simulation.Network;

/// <summary>How badly the network behaves now; all zero = it heals.</summary>
public sealed class NetworkFaults
{
    /// <summary>The slowest ordinary transit.</summary>
    public TimeSpan LatencyMax { get; set; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Chance, per send, that the bytes and all behind them are held back for up to <see cref="HoldMax"/>.</summary>
    public double Hold { get; set; }

    public TimeSpan HoldMax { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long the peers of a machine without power may take to notice.</summary>
    public TimeSpan SilenceMax { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Chance, per send, that the connection breaks: before, within or after these bytes.</summary>
    public double Cut { get; set; }

    /// <summary>Chance, per send, that the bytes arrive in pieces.</summary>
    public double Split { get; set; }

    /// <summary>Chance that a connection is refused.</summary>
    public double Refuse { get; set; }

    public void Heal() => Hold = Cut = Refuse = 0;
}
