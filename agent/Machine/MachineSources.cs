using LogPipeline.Agent.Sources;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Machine;

/// <summary>The sources of lines on this machine that are no files.</summary>
internal static class MachineSources
{
    public static ILineSource Create(SourceOptions options, ILogger logger) => options switch
    {
        StdinSourceOptions => new StdinSource(),
        SyslogSourceOptions syslog => new SyslogSource(syslog, TimeProvider.System, logger),
        MetricsSourceOptions metrics => new MetricsSource(metrics, TimeProvider.System, logger),
        JournalSourceOptions journal => new JournalSource(journal, TimeProvider.System, logger),
        _ => throw new ArgumentException($"agent: there is no source '{options.Name}'"),
    };
}
