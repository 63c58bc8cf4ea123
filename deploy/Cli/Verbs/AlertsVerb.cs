using System.CommandLine;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Printing;
using LogPipeline.Client.Connections;
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
        var verb = new Verb("alerts", "Count what each alert rule of the configuration counts, and show which are above their limits; exit status 1 when one is, or when that is unknown since the sink is behind.",
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
        await using var delays = new SinkDelays(new TcpConnector(), TimeProvider.System, new Random());
        var reasons = new HashSet<string>();
        bool isWell = true;
        foreach (AlertRule rule in configuration.Alerts.Rules)
        {
            SinkOptions sink = configuration.Sinks.First(sink => sink.Name == rule.Sink);
            await using ILogReader reader = await SinkStores.OpenReaderAsync(sink, TimeProvider.System, stop);
            AlertCount count = await AlertCount.TakeAsync(rule, reader, TimeProvider.System.GetUtcNow(), stop);
            string? unknown = count.IsAbove ? null : await WhyUnknownAsync(rule, delays.Of(sink), stop);
            if (unknown is not null && reasons.Add(unknown))
            {
                Console.Error.WriteLine($"logpipe alerts: {unknown}");
            }
            string state = count.IsAbove ? "above" : unknown is null ? "ok" : "unknown";
            table.Add(rule.Name, rule.Above.Show(count.Value), rule.Above.ToString(), AlertCount.Duration(rule.Window), state, rule.Query);
            isWell &= state == "ok";
        }
        table.Print();
        return isWell ? Exit.Done : Exit.AnswerIsNo;
    }

    private static async Task<string?> WhyUnknownAsync(AlertRule rule, SinkDelay delay, CancellationToken stop)
    {
        try
        {
            return delay.Failure ?? await delay.FindAsync(TimeProvider.System.GetUtcNow() - rule.Window, stop);
        }
        catch (QueryException error)
        {
            return error.Message;
        }
    }
}
