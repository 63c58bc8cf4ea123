using LogPipeline.Agent.Framing;

namespace LogPipeline.Agent.Sources;

/// <summary>What an input reads where that is no file: something that cannot be read again, so its lines are spooled first.</summary>
public abstract record SourceOptions
{
    /// <summary>Its name in the header <c>file</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Whether a spooled line is as the source gave it; null where a source cannot give it again.</summary>
    internal virtual Func<ReadOnlySpan<byte>, bool>? IsWhole => null;

    /// <summary>Where a source's spool is.</summary>
    /// <param name="stateDirectory">The agent's state directory.</param>
    /// <param name="topic">Where its lines go: one source may feed two topics.</param>
    public string SpoolIn(string stateDirectory, string topic) =>
        Path.Combine(SpoolsIn(stateDirectory), string.Concat($"{Name}-{topic}".Select(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_')));

    /// <summary>Where all spools are.</summary>
    public static string SpoolsIn(string stateDirectory) => Path.Combine(stateDirectory, "spool");
}

/// <summary>The standard input of the agent's process, until it ends.</summary>
public sealed record StdinSourceOptions : SourceOptions
{
    public TextEncoding Encoding { get; init; } = TextEncoding.Auto;

    public override string Name => "stdin";
}

/// <summary>Messages by the syslog protocol, as they come.</summary>
public sealed record SyslogSourceOptions : SourceOptions
{
    public SyslogTransport Transport { get; init; }

    /// <summary>The address to listen on.</summary>
    public string Address { get; init; } = "0.0.0.0";

    public int Port { get; init; }

    /// <summary>A PEM file: the certificate that TLS clients are shown, and those that vouch for it.</summary>
    public string? Certificate { get; init; }

    /// <summary>A PEM file: the certificate's private key.</summary>
    public string? Key { get; init; }

    /// <summary>Whether each message is preceded by the address that it came from, and a space.</summary>
    public bool KeepsPeer { get; init; }

    public override string Name => $"syslog://{Transport.ToString().ToLowerInvariant()}:{Port}";
}

public enum SyslogTransport
{
    Udp,
    Tcp,
    Tls,
}

/// <summary>The host's CPU, memory, disks, load and network, as a JSON line each interval.</summary>
public sealed record MetricsSourceOptions : SourceOptions
{
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    public override string Name => "metrics";
}

/// <summary>systemd's journal, each entry as a JSON line with journald's own field names.</summary>
public sealed record JournalSourceOptions : SourceOptions
{
    /// <summary>Only entries of these units; empty = all.</summary>
    public IReadOnlyList<string> Units { get; init; } = [];

    /// <summary>Read the journal files here; null = this host's own journal.</summary>
    public string? Directory { get; init; }

    /// <summary>The program that reads it.</summary>
    public string Program { get; init; } = "journalctl";

    /// <summary>Whether what is there at the first start is passed over.</summary>
    public bool FromEnd { get; init; }

    public override string Name => "journal";

    internal override Func<ReadOnlySpan<byte>, bool>? IsWhole => static line => JournalExport.IsEntry(line);

    /// <summary>What the program is told, to show what there is and what comes.</summary>
    /// <param name="from">The entry that it begins with, and shows where it is still there: a cursor, or a time as <c>@</c> and seconds since 1970; null = all.</param>
    /// <param name="machineId">This host's; empty where it is not known.</param>
    public IReadOnlyList<string> Arguments(string? from, string machineId)
    {
        // Not --after-cursor: where the entry is not there any more, or is of a unit that is not shown, it leaves out the next one.
        string[] begin = from is null ? [] : from.StartsWith('@') ? [$"--since={from}"] : [$"--cursor={from}"];
        // Without --no-tail, --follow shows the last ten entries only, also behind a cursor.
        return ["--follow", "--no-tail", .. Shown(machineId), .. Units.Select(static unit => $"--unit={unit}"), .. begin];
    }

    /// <summary>What it is told to show the last entry that there is, of whatever unit, and end.</summary>
    public IReadOnlyList<string> LastEntryArguments(string machineId) => ["--lines=1", .. Shown(machineId)];

    private IReadOnlyList<string> Shown(string machineId)
    {
        // --merge, as --follow would else show the present boot alone, and leave out what came between the cursor and a reboot. With it come the
        // journals that other hosts have sent here, so the machine is named. Not --quiet: it would keep silent about entries that this user may not see.
        IEnumerable<string> journal = Directory is not null ? [$"--directory={Directory}"] : machineId.Length > 0 ? [$"_MACHINE_ID={machineId}"] : [];
        return ["--output=export", "--merge", "--all", .. journal];
    }
}
