using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Hosting.Tests.Configuration;

public class QuantityTests
{
    [Theory]
    [InlineData("200ms", 200)]
    [InlineData("5s", 5_000)]
    [InlineData("1.5s", 1_500)]
    [InlineData("10 min", 600_000)]
    [InlineData("2m", 120_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("7d", 604_800_000)]
    [InlineData("0", 0)]
    public void Durations(string text, double milliseconds)
    {
        Assert.True(Quantity.TryParseDuration(text, out TimeSpan duration));
        Assert.Equal(milliseconds, duration.TotalMilliseconds);
    }

    [Theory]
    [InlineData("512KiB", 524_288)]
    [InlineData("1 MiB", 1_048_576)]
    [InlineData("2GB", 2_000_000_000)]
    [InlineData("1gib", 1_073_741_824)]
    [InlineData("100B", 100)]
    [InlineData("4096", 4096)]
    public void Sizes(string text, long expected)
    {
        Assert.True(Quantity.TryParseSize(text, out long bytes));
        Assert.Equal(expected, bytes);
    }

    [Theory]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("5 parsecs")]
    [InlineData("")]
    [InlineData("9e99d")]
    [InlineData("99999999999999999d")]
    public void What_is_no_duration_is_refused(string text) => Assert.False(Quantity.TryParseDuration(text, out _));

    [Theory]
    [InlineData("-1")]
    [InlineData("KiB")]
    [InlineData("1 bag")]
    [InlineData("99999999999TiB")]
    public void What_is_no_size_is_refused(string text) => Assert.False(Quantity.TryParseSize(text, out _));

    [Fact]
    public void What_is_printed_reads_back()
    {
        foreach (int milliseconds in new[] { 0, 1, 250, 1000, 90_000, 3_600_000, 604_800_000 })
        {
            Assert.True(Quantity.TryParseDuration(Quantity.Format(TimeSpan.FromMilliseconds(milliseconds)), out TimeSpan read) && read.TotalMilliseconds == milliseconds);
        }
        foreach (long bytes in new[] { 0L, 1, 1000, 1024, 1_000_000, 8 << 20, 1L << 40 })
        {
            Assert.True(Quantity.TryParseSize(Quantity.Format(bytes), out long read) && read == bytes);
        }
    }
}
