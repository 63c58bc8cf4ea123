using LogPipeline.Agent.Sources;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Machine;

/// <summary>The sources of lines on this machine that are no files.</summary>
internal static class MachineSources
{
    public static ILineSource Create(SourceOptions options, string machineId, TimeProvider time, ILogger logger) => options switch
    {
        StdinSourceOptions stdin => new StdinSource(stdin),
        SyslogSourceOptions syslog => new SyslogSource(syslog, time, logger),
        MetricsSourceOptions metrics => new MetricsSource(metrics, time, logger),
        JournalSourceOptions journal => new JournalSource(journal, machineId, time, logger),
        _ => throw new ArgumentException($"agent: there is no source '{options.Name}'"),
    };
}
