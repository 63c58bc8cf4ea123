using System.CommandLine;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Running;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Cli.Verbs;

/// <summary>The options of every verb that runs until it is stopped.</summary>
internal sealed class RunningOptions
{
    private readonly Option<string?> _admin = new("--admin")
    {
        Description = "Serve /metrics and /healthz here; without it the configuration's admin.listen",
        HelpName = "HOST:PORT",
    };

    private readonly Option<LogLevel> _logLevel = new("--log-level")
    {
        Description = "How much is told on standard error: debug, information, warning, error or none",
        HelpName = "LEVEL",
        DefaultValueFactory = _ => LogLevel.Information,
    };

    public Option<string?> Config { get; } = SharedOptions.Config();

    public void AddTo(Command verb, bool withConfig = true)
    {
        if (withConfig)
        {
            verb.Options.Add(Config);
        }
        verb.Options.Add(_admin);
        verb.Options.Add(_logLevel);
    }

    /// <summary>A plan that runs nothing yet, named to collectors as <paramref name="service"/>.</summary>
    public NodePlan Plan(ParseResult parsed, PipelineConfiguration configuration, string service)
        => new(configuration.Telemetry with { ServiceName = service, AdminListen = parsed.GetValue(_admin) ?? configuration.Telemetry.AdminListen }, parsed.GetValue(_logLevel));
}
