using System.Text.RegularExpressions;

namespace LogPipeline.House.Tests;

/// <summary>Comments are in plain English that a newcomer reads once.</summary>
public partial class WordingTests
{
    [Fact]
    public void Comments_are_plain_English()
    {
        string[] found = [.. Repository.Files(".cs")
            .Where(path => !path.StartsWith("tests/House.Tests/", StringComparison.Ordinal))
            .Select(path => (Path: path, Words: Stilted(Repository.Read(path))))
            .Where(file => file.Words.Length > 0)
            .Select(file => $"{file.Path}: {string.Join(" | ", file.Words)}")];
        Assert.True(found.Length == 0, $"say it in plain words: {string.Join("; ", found)}");
    }

    [Theory]
    [InlineData("    // Armed first, lest a change be missed.", 1)]
    [InlineData("    /// <summary>What befell the batches read of late.</summary>", 2)]
    [InlineData("/// Run by whoever comes first.", 1)]
    [InlineData("/// <exception cref=\"FormatException\">It is none.</exception>", 1)]
    [InlineData("/// <param name=\"path\">It.</param>", 1)]
    [InlineData("/// <summary>The largest timestamp; -1 when there is none.</summary>", 0)]
    [InlineData("/// <summary>Whether the error code is None.</summary>", 0)]
    [InlineData("    string lest = \"whoever\";", 0)]
    public void Stilted_words_are_found_in_comments_alone(string line, int count) => Assert.Equal(count, Stilted(line).Length);

    private static string[] Stilted(string text) =>
        [.. Comment().Matches(text).SelectMany(comment => StiltedWord().Matches(comment.Value)).Select(match => match.Value)];

    [GeneratedRegex(@"^\s*//.*|[;{)\]] // .*", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\b(?i:lest|befell|whoever|of late)\b|(?<!there )\bis none\b|>It\.</param>")]
    private static partial Regex StiltedWord();
}
