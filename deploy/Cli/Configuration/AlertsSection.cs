using LogPipeline.Hosting.Configuration;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Alerts;
using LogPipeline.Sinks.Events;

namespace LogPipeline.Cli.Configuration;

/// <summary>Which rules on stored rows are watched, and who is told.</summary>
internal sealed record AlertOptions(IReadOnlyList<AlertRule> Rules, NoticeTargets Targets)
{
    public static AlertOptions None { get; } = new([], NoticeTargets.None);
}

/// <summary>The section <c>alerts:</c>.</summary>
internal static class AlertsSection
{
    public static AlertOptions Read(ConfigurationSection? section, IReadOnlyList<SinkOptions> sinks)
    {
        if (section is null)
        {
            return AlertOptions.None;
        }
        var targets = new NoticeTargets
        {
            Webhooks = [.. section.Texts("webhook", []).Select(address => AddressOf(section, address))],
            Command = section.Texts("command", []),
        };
        List<AlertRule> rules = [];
        foreach (ConfigurationSection rule in section.Sections("rules"))
        {
            AlertRule read = ReadRule(rule, sinks);
            rules.Add(rules.TrueForAll(other => other.Name != read.Name) ? read
                : throw new ConfigurationException($"{rule.OriginOf("name")}: two alerts are named '{read.Name}'"));
        }
        section.Close();
        return new AlertOptions(rules, targets);
    }

    private static Uri AddressOf(ConfigurationSection section, string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" ? uri
            : throw new ConfigurationException($"{section.OriginOf("webhook")}: {section.Name("webhook")} must be an address such as https://example.com/hook, and not '{address}'");

    private static AlertRule ReadRule(ConfigurationSection section, IReadOnlyList<SinkOptions> sinks)
    {
        string name = section.Required("name", "it names the alert, such as server_errors");
        string limit = section.Required("above", "how many rows may be (100), or which share of them (1%)");
        SinkOptions sink = SinkOf(section, sinks);
        var rule = new AlertRule
        {
            Name = name,
            Sink = sink.Name,
            Query = section.Required("query", "which rows count, such as status>=500"),
            Of = section.Text("of", ""),
            Above = AlertLimit.TryParse(limit, out AlertLimit above) ? above
                : throw new ConfigurationException($"{section.OriginOf("above")}: {section.Name("above")} must be a number of rows such as 100, or a share below 100% such as 1%, and not '{limit}'"),
            Window = section.Duration("window", TimeSpan.FromMinutes(5)),
            Every = section.Duration("every", TimeSpan.FromSeconds(30)),
        };
        section.Close();
        try
        {
            rule.Validate(SinkStores.FieldsOf(sink));
        }
        catch (SinkConfigurationException e)
        {
            throw new ConfigurationException($"{section.Origin}: {e.Message}");
        }
        return rule;
    }

    /// <summary>The sink named; without a name the first one whose rows can be counted.</summary>
    private static SinkOptions SinkOf(ConfigurationSection section, IReadOnlyList<SinkOptions> sinks)
    {
        List<SinkOptions> countable = [.. sinks.Where(sink => sink.Files is null)];
        string names = countable.Count == 0 ? "there is no sink that writes to a database" : $"there are {string.Join(", ", countable.Select(sink => sink.Name))}";
        return section.TextOrNull("sink") is not { } name
            ? countable.FirstOrDefault() ?? throw new ConfigurationException($"{section.Origin}: an alert counts the rows of a sink, and {names}")
            : countable.Find(sink => sink.Name == name) ?? throw new ConfigurationException($"{section.OriginOf("sink")}: no rows of a sink '{name}' can be counted; {names}");
    }
}
