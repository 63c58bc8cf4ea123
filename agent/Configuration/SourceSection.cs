using System.Net;
using LogPipeline.Agent.Sources;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Agent.Configuration;

/// <summary>Binds what stands in place of <c>paths</c> in an input that is no file: <c>syslog</c>, <c>metrics</c> or <c>journal</c>.</summary>
internal static class SourceSection
{
    /// <summary>Null when the input reads files.</summary>
    /// <exception cref="ConfigurationException">There is more than one, or one is wrong.</exception>
    public static SourceOptions? Read(ConfigurationSection input)
    {
        List<(string Key, SourceOptions Options)> found = [];
        if (input.SectionOrNull("syslog") is { } syslog)
        {
            found.Add(("syslog", ReadSyslog(syslog)));
        }
        if (input.SectionOrNull("metrics") is { } metrics)
        {
            found.Add(("metrics", ReadMetrics(metrics)));
        }
        if (input.SectionOrNull("journal") is { } journal)
        {
            bool fromEnd = input.Choice("read_from", false, ("beginning", false), ("end", true));
            found.Add(("journal", ReadJournal(journal) with { FromEnd = fromEnd }));
        }
        if (found.Count > 1 || (found.Count == 1 && (input.Has("paths") || input.Has("exclude"))))
        {
            string other = found.Count > 1 ? found[1].Key : input.Has("paths") ? "paths" : "exclude";
            throw new ConfigurationException($"{input.OriginOf(other)}: {input.Name(other)} does not go with {found[0].Key}: each input reads one thing");
        }
        return found.Count == 0 ? null : found[0].Options;
    }

    private static SyslogSourceOptions ReadSyslog(ConfigurationSection section)
    {
        string listen = section.Required("listen", "such as udp://0.0.0.0:514, tcp://0.0.0.0:601 or tls://0.0.0.0:6514");
        string? certificate = section.TextOrNull("cert");
        string? key = section.TextOrNull("key");
        bool keepsPeer = section.Flag("peer", false);
        section.Close();
        string[] halves = listen.Split("://");
        SyslogTransport? transport = halves[0] switch { "udp" => SyslogTransport.Udp, "tcp" => SyslogTransport.Tcp, "tls" => SyslogTransport.Tls, _ => null };
        if (halves.Length != 2 || transport is null || !IPEndPoint.TryParse(halves[1].Replace("localhost", "127.0.0.1", StringComparison.Ordinal), out IPEndPoint? endpoint) || endpoint.Port == 0)
        {
            throw new ConfigurationException($"{section.OriginOf("listen")}: {section.Name("listen")} should be such as udp://0.0.0.0:514, tcp://… or tls://…, not '{listen}'");
        }
        if ((transport == SyslogTransport.Tls) != (certificate is not null && key is not null))
        {
            throw new ConfigurationException($"{section.Origin}: {section.Path} needs cert and key, two PEM files, where and only where it listens by tls://");
        }
        return new SyslogSourceOptions
        {
            Transport = transport.Value,
            Address = endpoint.Address.ToString(),
            Port = endpoint.Port,
            Certificate = certificate is null ? null : Path.GetFullPath(certificate),
            Key = key is null ? null : Path.GetFullPath(key),
            KeepsPeer = keepsPeer,
        };
    }

    private static MetricsSourceOptions ReadMetrics(ConfigurationSection section)
    {
        var defaults = new MetricsSourceOptions();
        MetricsSourceOptions options = defaults with { Interval = section.Duration("interval", defaults.Interval) };
        section.Close();
        return options.Interval >= TimeSpan.FromSeconds(1) ? options
            : throw new ConfigurationException($"{section.OriginOf("interval")}: {section.Name("interval")} should be a second at least");
    }

    private static JournalSourceOptions ReadJournal(ConfigurationSection section)
    {
        var defaults = new JournalSourceOptions();
        JournalSourceOptions options = defaults with
        {
            Units = section.Texts("units", defaults.Units),
            Directory = section.TextOrNull("directory") is { } directory ? Path.GetFullPath(directory) : null,
            Program = section.Text("program", defaults.Program),
        };
        section.Close();
        return options;
    }
}
