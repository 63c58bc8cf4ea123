using System.Globalization;
using LogPipeline.Cli.Verbs;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Tests.Verbs;

public sealed class PointInTimeTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 28, 10, 30, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("now", "2026-11-28 10:30:00")]
    [InlineData("today", "2026-11-28 00:00:00")]
    [InlineData("Yesterday", "2026-11-27 00:00:00")]
    [InlineData("90m", "2026-11-28 09:00:00")]
    [InlineData("999999d", "1970-01-01 00:00:00")]
    [InlineData("2026-11-21", "2026-11-21 00:00:00")]
    [InlineData("2026-11-21 08:30", "2026-11-21 08:30:00")]
    [InlineData("2026-10-25T02:30+02:00", "2026-10-25 00:30:00")]
    [InlineData("8:30", "2026-11-28 08:30:00")]
    public void Times_are_read_as_people_type_them(string text, string expected) =>
        Assert.Equal(expected, PointInTime.Parse(text, "--since", Now)!.Value.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("1.5")]
    [InlineData("5/6")]
    [InlineData("05/06/2026")]
    [InlineData("11-28")]
    [InlineData("tomorrow")]
    public void What_may_be_another_time_than_meant_is_refused(string text) =>
        Assert.Contains($"--since {text}: write how long ago", Assert.Throws<ConfigurationException>(() => PointInTime.Parse(text, "--since", Now)).Message, StringComparison.Ordinal);
}
