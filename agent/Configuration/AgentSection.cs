using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Agent.Configuration;

/// <summary>Binds <c>agent:</c>.</summary>
public static class AgentSection
{
    /// <summary>The topic to which agents publish their status unless they are told otherwise.</summary>
    public const string DefaultStatusTopic = "logpipe_agents";

    private const int BatchBytesMax = 64 << 20;
    private const string BrokerData = "./data/broker"; // what the broker takes where nothing is said

    /// <summary>Binds the <c>agent:</c> of a configuration; null when there is none.</summary>
    /// <exception cref="ConfigurationException">A key is unknown, missing or of the wrong kind.</exception>
    public static AgentOptions? Find(ConfigurationSection root) =>
        root.SectionOrNull("agent") is { } section ? Read(section) with { OwnPaths = [.. OwnPaths(root)] } : null;

    /// <exception cref="ConfigurationException">A key is unknown, missing or of the wrong kind.</exception>
    public static AgentOptions Read(ConfigurationSection section)
    {
        var defaults = new AgentOptions();
        AgentOptions options = defaults with
        {
            Bootstrap = section.Texts("bootstrap", ["127.0.0.1:9092"]),
            StateDirectory = Path.GetFullPath(section.Text("state", "./data/agent")),
            Inputs = [.. section.Sections("inputs").Select(InputSection.Read)],
            Host = section.Text("host", defaults.Host),
            BatchBytes = (int)section.Size("batch_bytes", defaults.BatchBytes, 1024, BatchBytesMax),
            Linger = section.Duration("linger", defaults.Linger),
            Compression = section.Choice("compression", defaults.Compression,
                ("lz4", BatchCompression.Lz4), ("gzip", BatchCompression.Gzip), ("none", BatchCompression.None)),
            InflightPerPartition = section.Count("inflight_per_partition", defaults.InflightPerPartition, 1, 5),
            UnackedBytesMax = section.Size("unacked_bytes_max", defaults.UnackedBytesMax, 1 << 20),
            RetainedTime = section.Duration("retained_time", defaults.RetainedTime),
            RetainedBytesMax = section.Size("retained_bytes_max", defaults.RetainedBytesMax),
            SpoolBytesMax = section.Size("spool_bytes_max", defaults.SpoolBytesMax, 1 << 20),
            DeletedBytesKept = section.Size("deleted_bytes_kept", defaults.DeletedBytesKept),
            DeletedBytesAlarm = section.Size("deleted_bytes_alarm", defaults.DeletedBytesAlarm, 1),
            RequestTimeout = section.Duration("request_timeout", defaults.RequestTimeout),
            SweepInterval = section.Duration("sweep_interval", defaults.SweepInterval),
            RotatedQuiet = section.Duration("rotated_quiet", defaults.RotatedQuiet),
            CopyWait = section.Duration("copy_wait", defaults.CopyWait),
            OpenFilesMax = section.Count("open_files_max", defaults.OpenFilesMax, 1),
            StatusTopic = section.Text("status_topic", DefaultStatusTopic) is var name && name == "off" ? null : name,
            ReloadsOnChange = section.Choice("reload", defaults.ReloadsOnChange, ("auto", true), ("signal", false)),
            RegistryInterval = section.Duration("registry_interval", defaults.RegistryInterval),
        };
        section.Close();
        return options.WithSpools();
    }

    /// <summary>Where the broker and the sinks of the same configuration write.</summary>
    private static IEnumerable<string> OwnPaths(ConfigurationSection root)
    {
        IEnumerable<string?> paths = root.Sections("sinks").SelectMany(static sink => new[]
        {
            sink.SectionOrNull("sqlite")?.TextOrNull("file"),
            sink.SectionOrNull("files")?.TextOrNull("directory"),
        });
        return paths.Append(root.SectionOrNull("broker")?.Text("data", BrokerData)).OfType<string>().Select(Path.GetFullPath);
    }
}
