using System.Text.RegularExpressions;

namespace LogPipeline.House.Tests;

/// <summary>An accepted setting does something, or it is marked as one that does nothing, and then the replies and the log say so.</summary>
public partial class SettingsTests
{
    private const string Settings = "broker/Server/Settings/";

    private static readonly string[] Tables = [Settings + "BrokerSettingTable.cs", Settings + "TopicSettingTable.cs"];

    private static readonly List<Setting> All = [.. Tables.SelectMany(static table => Definition().Matches(Repository.Read(table)).Select(match => new Setting(
        match.Groups[1].Value,
        table == Tables[1],
        !match.Value.Contains("HasEffect = false", StringComparison.Ordinal),
        BrokerName().Match(match.Value) is { Success: true } named ? named.Groups[1].Value : null)))];

    /// <summary>Read only to refuse a start with what does not fit the listeners.</summary>
    private const string CheckedOnly = "inter.broker.listener.name";

    private sealed record Setting(string Name, bool IsTopics, bool HasEffect, string? BrokerName);

    [Fact]
    public void The_tables_are_read() => Assert.True(All.Count(static setting => setting.IsTopics) > 30 && All.Count(static setting => !setting.IsTopics) > 60);

    [Fact]
    public void A_setting_that_is_said_to_do_something_is_read_and_one_that_is_not_is_not()
    {
        string code = string.Join('\n', Code(path => !Tables.Contains(path)));
        string[] wrong = [.. All
            .Where(static setting => setting.Name != CheckedOnly)
            .Where(setting => setting.HasEffect != (Regex.IsMatch(code, $"""\("{Regex.Escape(setting.Name)}"[,)]""") || IsInherited(setting)))
            .Select(static setting => $"{setting.Name} {(setting.HasEffect ? "is never read" : "is read")}")];
        Assert.True(wrong.Length == 0, string.Join("; ", wrong));
    }

    [Fact]
    public void What_is_read_of_the_settings_is_used()
    {
        string[] unused = [.. Properties(Settings + "BrokerSettings.cs").Concat(Properties("broker/Storage/PartitionLogOptions.cs"))
            .Where(static property => !Code(path => path != property.File && !path.EndsWith("/TopicSettings.cs", StringComparison.Ordinal))
                .Any(code => Regex.IsMatch(code, $@"\.{property.Name}\b")))
            .Where(static property => !Repository.Read(Settings + "TopicSettings.cs").Contains($"broker.{property.Name}", StringComparison.Ordinal))
            .Select(static property => property.Name)];
        Assert.True(unused.Length == 0, string.Join(", ", unused));
    }

    // A broker setting that is the default of a topic setting.
    private static bool IsInherited(Setting setting) => !setting.IsTopics
        && All.Exists(topics => topics.IsTopics && topics.HasEffect && topics.BrokerName == setting.Name);

    private static IEnumerable<string> Code(Func<string, bool> isWanted) => Repository.Files(".cs")
        .Where(path => path.StartsWith("broker/Server/", StringComparison.Ordinal) || path.StartsWith("broker/Storage/", StringComparison.Ordinal))
        .Where(isWanted)
        .Select(Repository.Read);

    private static IEnumerable<(string File, string Name)> Properties(string file) =>
        Property().Matches(Repository.Read(file)).Select(match => (file, match.Groups[1].Value));

    [GeneratedRegex("""new\("([a-z.]+)",.*""")]
    private static partial Regex Definition();

    [GeneratedRegex("BrokerName = \"([a-z.]+)\"")]
    private static partial Regex BrokerName();

    [GeneratedRegex(@"public [\w<>?]+ (\w+) (?:=>|\{ get)")]
    private static partial Regex Property();
}
