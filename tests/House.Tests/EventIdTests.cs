using System.Globalization;
using System.Text.RegularExpressions;

namespace LogPipeline.House.Tests;

/// <summary>An event id names one diagnostic line, whatever program says it.</summary>
public partial class EventIdTests
{
    /// <summary>So that whoever adds a line need look at one file only.</summary>
    [Fact]
    public void The_ids_of_a_file_are_unique_and_lie_in_a_hundred_of_its_own()
    {
        var owners = new Dictionary<int, string>();
        int found = 0;
        foreach (string path in Repository.Files(".cs").Where(path => !path.StartsWith("tests/", StringComparison.Ordinal)))
        {
            int[] ids = [.. Message().Matches(Repository.Read(path)).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];
            Assert.True(ids.Distinct().Count() == ids.Length, $"{path} uses an event id twice");
            foreach (int hundred in ids.Select(id => id / 100).Distinct())
            {
                Assert.True(owners.TryAdd(hundred, path), $"{path} and {owners.GetValueOrDefault(hundred)} both use event ids from {hundred}00 on");
            }
            Assert.True(ids.Select(id => id / 100).Distinct().Count() <= 1, $"{path} uses event ids of several hundreds");
            found += ids.Length;
        }
        Assert.True(found > 50, $"only {found} event ids were found: the pattern has become blind");
    }

    [GeneratedRegex(@"LoggerMessage\(\s*(?:EventId = )?(\d+)")]
    private static partial Regex Message();
}
