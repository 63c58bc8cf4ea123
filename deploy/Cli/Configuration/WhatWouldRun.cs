using System.Text.RegularExpressions;
using LogPipeline.Agent;
using LogPipeline.Agent.Configuration;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Alerts;

namespace LogPipeline.Cli.Configuration;

/// <summary>Says in words what processes with this configuration would do. Passwords are left out.</summary>
internal static partial class WhatWouldRun
{
    public static IEnumerable<string> Describe(PipelineConfiguration configuration)
    {
        if (configuration.Broker is { } broker)
        {
            yield return $"broker on {broker.Listen}, data in {Path.GetFullPath(broker.DataDirectory)}" + (broker.Advertise is null ? "" : $", told to clients as {broker.Advertise}");
            foreach ((string? key, string? value) in broker.Settings.OrderBy(setting => setting.Key, StringComparer.Ordinal))
            {
                yield return $"  {key}={value}";
            }
        }
        if (configuration.Agent is { } agent)
        {
            yield return $"agent to {string.Join(", ", agent.Bootstrap)}, state in {agent.StateDirectory}, {agent.Compression.ToString().ToLowerInvariant()} batches of {Quantity.Format(agent.BatchBytes)}";
            foreach (InputOptions input in agent.Inputs)
            {
                yield return Describe(input);
            }
            foreach (string note in ConfigurationNotes.Of(agent))
            {
                yield return $"  note: {note}";
            }
        }
        foreach (SinkOptions sink in configuration.Sinks)
        {
            yield return Describe(sink);
        }
        foreach (AlertRule rule in configuration.Alerts.Rules)
        {
            yield return $"alert {rule.Name}: more than {rule.Above}{(rule.Of.Length > 0 ? $" of {rule.Of}" : "")} within {AlertCount.Duration(rule.Window)} in {rule.Sink}: {rule.Query}";
        }
        if (configuration.Alerts.Targets is { } targets && targets.Webhooks.Count + targets.Command.Count > 0)
        {
            yield return $"notices to {string.Join(", ", targets.Webhooks.Select(static address => address.GetLeftPart(UriPartial.Authority)).Concat(targets.Command.Take(1)))}";
        }
        if (configuration.Telemetry.AdminListen is { } admin)
        {
            yield return $"metrics and health on http://{admin}";
        }
        if (configuration.Telemetry.Otlp is { } otlp)
        {
            yield return $"metrics pushed to {otlp}";
        }
    }

    private static string Describe(InputOptions input)
        => $"  {input.Source?.Name ?? string.Join(" ", input.Paths)}" + (input.Exclude.Count > 0 ? $" without {string.Join(" ", input.Exclude)}" : "")
            + $" -> {input.Topic}, from the {input.ReadFrom.ToString().ToLowerInvariant()}, lines up to {Quantity.Format(input.MaxLineBytes)}";

    private static string Describe(SinkOptions sink)
    {
        string target = sink switch
        {
            { Postgres: { } postgres } => $"PostgreSQL ({Password().Replace(postgres.Connection, "$1=…")}), view {postgres.Table}",
            { Sqlite: { } sqlite } => $"SQLite {Path.GetFullPath(sqlite.File)}, view {sqlite.Table}",
            { Files: { } files } => $"files under {Path.GetFullPath(files.Directory)}",
            _ => "nowhere",
        };
        return $"sink {sink.Name}: {string.Join(", ", sink.Topics)} from {sink.Bootstrap}, parser {sink.Parser}, into {target}";
    }

    [GeneratedRegex(@"(?i)\b(password|pwd)\s*=\s*(""[^""]*""|'[^']*'|[^;]*)")]
    private static partial Regex Password();
}
