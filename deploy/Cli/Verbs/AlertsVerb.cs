using System.CommandLine;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Printing;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Alerts;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe alerts</c>: what the configuration's alert rules find now.</summary>
internal static class AlertsVerb
{
    private static readonly Option<string?> Config = SharedOptions.Config();

    public static Command Create()
    {
        var verb = new Verb("alerts", "Count what each alert rule of the configuration counts, and show which are above their limits; exit status 1 when one is.",
            "logpipe alerts",
            "logpipe alerts --config logpipe.yaml") { Config };
        verb.Does(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var configuration = PipelineConfiguration.Load(parsed.GetValue(Config));
        if (configuration.Alerts.Rules.Count == 0)
        {
            throw new ConfigurationException("the configuration has no 'alerts: rules:'; deploy/config/logpipe.yaml shows one");
        }
        var table = new TextTable("ALERT", "FOUND", "LIMIT", "WINDOW", "STATE", "QUERY");
        bool isAbove = false;
        foreach (AlertRule rule in configuration.Alerts.Rules)
        {
            SinkOptions sink = configuration.Sinks.First(sink => sink.Name == rule.Sink);
            await using ILogReader reader = await SinkStores.OpenReaderAsync(sink, TimeProvider.System, stop);
            AlertCount count = await AlertCount.TakeAsync(rule, reader, TimeProvider.System.GetUtcNow(), stop);
            table.Add(rule.Name, rule.Above.Show(count.Value), rule.Above.ToString(), AlertCount.Duration(rule.Window), count.IsAbove ? "above" : "ok", rule.Query);
            isAbove |= count.IsAbove;
        }
        table.Print();
        return isAbove ? Exit.AnswerIsNo : Exit.Done;
    }
}
