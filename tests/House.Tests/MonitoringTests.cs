using System.Text.Json;
using System.Text.RegularExpressions;

namespace LogPipeline.House.Tests;

/// <summary>The dashboard and the alert rules in deploy/monitoring ask for metrics that there are.</summary>
public sealed partial class MonitoringTests
{
    private static readonly string[] Suffixes = ["_bucket", "_sum", "_count"];

    [Theory]
    [InlineData("grafana-dashboard.json")]
    [InlineData("prometheus-alerts.yml")]
    public void Each_metric_is_one_that_the_product_has(string file)
    {
        var known = Sources().SelectMany(static text => InCode().Matches(text)).Select(static match => match.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        Assert.Contains("logpipe_agent_lines_total", known);
        List<string> asked = [.. Asked().Matches(Expressions(file)).Select(static match => match.Value).Distinct()];
        Assert.True(asked.Count > 8, string.Join(' ', asked));
        Assert.All(asked, name => Assert.Contains(Array.Find(Suffixes, name.EndsWith) is { } suffix ? name[..^suffix.Length] : name, known));
    }

    /// <summary>What is asked, without the words around it.</summary>
    private static string Expressions(string file)
    {
        string text = Repository.Read(Path.Combine("deploy", "monitoring", file));
        if (file.EndsWith(".json", StringComparison.Ordinal))
        {
            using var dashboard = JsonDocument.Parse(text);
            return string.Join('\n', dashboard.RootElement.GetProperty("panels").EnumerateArray()
                .SelectMany(static panel => panel.GetProperty("targets").EnumerateArray()).Select(static target => target.GetProperty("expr").GetString()));
        }
        List<string> lines = [.. text.Split('\n').Select(static line => line.Trim())];
        int rules = lines.Count(static line => line.StartsWith("- alert: ", StringComparison.Ordinal));
        List<string> expressions = [.. lines.Where(static line => line.StartsWith("expr: ", StringComparison.Ordinal))];
        Assert.Equal(rules, expressions.Count);
        Assert.Equal(rules, lines.Count(static line => line.StartsWith("annotations: { summary: ", StringComparison.Ordinal)));
        return string.Join('\n', expressions);
    }

    private static IEnumerable<string> Sources() =>
        ((string[])["agent", "broker", "sinks", "hosting"]).SelectMany(static room => Directory.EnumerateFiles(Path.Combine(Repository.Root, room), "*.cs", SearchOption.AllDirectories)).Select(File.ReadAllText);

    [GeneratedRegex("\"((?:logpipe|process)_[a-z_]+)\"")]
    private static partial Regex InCode();

    [GeneratedRegex("(?:logpipe|process)_[a-z_]+")]
    private static partial Regex Asked();
}
