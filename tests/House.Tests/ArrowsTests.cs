using System.Text.RegularExpressions;

namespace LogPipeline.House.Tests;

/// <summary>Which room may see which: read from the project files, so that a new arrow is a decision and not an accident.</summary>
public partial class ArrowsTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Files"] = [],
        ["Protocol"] = [],
        ["Storage"] = ["Protocol", "Files"],
        ["Contract"] = [],
        ["Client"] = ["Protocol", "Files"],
        ["Broker"] = ["Protocol", "Storage", "Files"],
        ["Hosting"] = ["Files"],
        ["Agent"] = ["Client", "Contract", "Hosting", "Protocol", "Files"],
        ["AgentProgram"] = ["Agent", "Client", "Contract", "Hosting", "Protocol", "Files"],
        ["Sinks"] = ["Client", "Contract", "Hosting", "Protocol", "Files"],
        ["Cli"] = ["Files", "Protocol", "Contract", "Storage", "Client", "Broker", "Hosting", "Agent", "Sinks"],
    };

    /// <summary>Arrows follow project references transitively, so the direct ones of what is referenced count too.</summary>
    [Fact]
    public void Every_room_sees_only_the_rooms_it_may()
    {
        Dictionary<string, HashSet<string>> arrows = Rooms().ToDictionary(room => room.Name, room => References(room.Path));
        Assert.Equal(Allowed.Keys.Order(), arrows.Keys.Order());
        foreach ((string room, HashSet<string> seen) in arrows)
        {
            var all = new HashSet<string>(seen);
            for (int before = -1; before != all.Count;)
            {
                before = all.Count;
                all.UnionWith([.. all.SelectMany(other => arrows.GetValueOrDefault(other) ?? [])]);
            }
            string[] forbidden = [.. all.Except(Allowed[room]).Order()];
            Assert.True(forbidden.Length == 0, $"{room} sees {string.Join(", ", forbidden)}: ARCHITECTURE.md does not allow that");
        }
    }

    [Fact]
    public void Versions_of_packages_stand_in_one_file()
    {
        foreach (string project in Repository.Files(".csproj"))
        {
            Assert.False(InlineVersion().IsMatch(Repository.Read(project)), $"{project}: versions belong in Directory.Packages.props");
        }
    }

    [Theory]
    [InlineData("agent/", "Npgsql")]
    [InlineData("agent/", "Microsoft.AspNetCore")]
    [InlineData("hosting/", "Microsoft.AspNetCore")]
    [InlineData("broker/", "Npgsql")]
    [InlineData("broker/Protocol/", "System.Net.Sockets")]
    [InlineData("broker/Storage/", "System.Net.Sockets")]
    public void A_room_does_not_mention_what_is_not_its_own(string room, string word)
    {
        string[] found = [.. Repository.Files(".cs").Where(path => path.StartsWith(room, StringComparison.Ordinal))
            .Where(path => Repository.Read(path).Contains($"using {word}", StringComparison.Ordinal))];
        Assert.True(found.Length == 0, $"{word} in {string.Join(", ", found)}");
    }

    private static IEnumerable<(string Name, string Path)> Rooms() =>
        Repository.Files(".csproj").Where(path => !path.StartsWith("tests/", StringComparison.Ordinal)).Select(path => (NameOf(path), path));

    private static HashSet<string> References(string project) =>
        [.. Reference().Matches(Repository.Read(project)).Select(match => NameOf(match.Groups[1].Value))];

    private static string NameOf(string path) => Path.GetFileNameWithoutExtension(path).Replace("LogPipeline.", "", StringComparison.Ordinal);

    [GeneratedRegex("<ProjectReference Include=\"([^\"]+)\"")]
    private static partial Regex Reference();

    [GeneratedRegex("<PackageReference[^>]* Version=")]
    private static partial Regex InlineVersion();
}
