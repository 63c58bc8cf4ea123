using System.Text.RegularExpressions;

namespace LogPipeline.Files.Tests;

public sealed class LinearRegexTests
{
    private static readonly string[] Pieces = ["a", "b", "[ab]", "a+", "b*", "a{2,}", "(?:ab)+", "(a|b)+?", "|", "a?", "(?i:A)", "b{1,3}", ".", @"\w+", "$", "^", @"\b"];

    [Theory]
    [InlineData(@"password=\S+")]
    [InlineData("x+")]
    [InlineData("user|x{3,}")]
    [InlineData(@"(\w+)=(\w+)")]
    public void A_long_match_takes_no_memory_of_its_own(string expression)
    {
        string text = $"user password={new string('x', 300_000)} end";
        Regex regex = LinearRegex.Of(expression);
        long before = GC.GetAllocatedBytesForCurrentThread();
        int longest = 0;
        foreach (ValueMatch match in regex.EnumerateMatches(text))
        {
            longest = Math.Max(longest, match.Length);
        }
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000_000);
        Assert.True(longest >= 300_000);
    }

    [Fact]
    public void It_matches_what_the_expression_alone_does()
    {
        int matched = 0;
        for (int seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            string expression = string.Concat(Enumerable.Range(0, random.Next(1, 6)).Select(_ => Pieces[random.Next(Pieces.Length)]));
            string text = string.Concat(Enumerable.Range(0, random.Next(30)).Select(_ => "aab A"[random.Next(5)]));
            Regex alone;
            try
            {
                alone = new Regex(expression, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            }
            catch (RegexParseException wrong)
            {
                Assert.Equal(wrong.Message, Assert.Throws<RegexParseException>(() => LinearRegex.Of(expression)).Message);
                continue;
            }
            string[] expected = [.. alone.Matches(text).Select(Shown)];
            Assert.Equal(expected, LinearRegex.Of(expression).Matches(text).Select(Shown));
            matched += expected.Length;
        }
        Assert.True(matched > 1000);
    }

    private static string Shown(Match match) => $"{match.Index}: {string.Join(",", match.Groups.Values.Select(static group => $"{group.Index}+{group.Length}"))}";
}
