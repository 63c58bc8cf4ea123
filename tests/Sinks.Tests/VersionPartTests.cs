using System.Globalization;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Verification;

namespace LogPipeline.Sinks.Tests;

/// <summary>Which filter held at which offset, by what the table's versions say.</summary>
public sealed class VersionPartTests
{
    private static readonly PinnedLog Log = new(7, Guid.Empty, "web_log", 0, 1000);

    private static TableVersion Version(string? where, long start) => TableVersion.Of(
        "combined", where, RowColumns.ConfigHash(LineParsers.Named(new ParserOptions { Type = "combined", Where = where })), start == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $$"""{"7":{{start}},"8":3}"""));

    [Fact]
    public void Parts_lie_end_to_end_and_each_has_the_newest_version_that_began_before()
    {
        for (int seed = 1; seed <= 2000; seed++)
        {
            var random = new Random(seed);
            // Later versions begin later, but for a log that went back to an earlier end.
            TableVersion[] versions = [.. Enumerable.Range(0, random.Next(5)).Select(i => Version(random.Next(3) == 0 ? null : $"status:{i}", i == 0 && random.Next(4) > 0 ? 0 : random.Next(30) * 10))];
            (long start, long end) = (random.Next(200), random.Next(200, 320));
            IReadOnlyList<VersionPart> parts = VersionPart.Of(Log, versions, new ParserOptions { Type = "combined", Where = "parsed:true" }, start, end);
            Assert.Equal((start, end), (parts[0].From, parts[^1].To));
            Assert.All(parts.Zip(parts.Skip(1)), pair => Assert.Equal(pair.First.To, pair.Second.From));
            for (long offset = start; offset < end; offset++)
            {
                TableVersion? made = versions.LastOrDefault(version => version.Starts.GetValueOrDefault(Log.Id) <= offset);
                VersionPart part = parts.Single(part => part.From <= offset && offset < part.To);
                Assert.True(part.Parser?.Where == (made is not null ? made.Where : versions.Any(version => version.Starts.GetValueOrDefault(Log.Id) < end) ? null : "parsed:true"), $"seed {seed}, offset {offset}");
            }
        }
    }

    [Fact]
    public void A_filter_whose_parser_is_no_longer_known_is_told_from_none()
    {
        TableVersion[] versions = [Version(null, 0), Version("status:1", 10) with { Parser = "regex", ConfigHash = "1:regex:status:0" }, Version(null, 20)];
        Assert.Equal(
            [(0L, 10L, "none"), (10L, 20L, null), (20L, 30L, "none")],
            VersionPart.Of(Log, versions, "combined", 0, 30).Select(part => (part.From, part.To, part.Parser?.Name)));
    }
}
