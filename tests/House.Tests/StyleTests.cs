using System.Text.RegularExpressions;

namespace LogPipeline.House.Tests;

/// <summary>House rules that a machine can hold.</summary>
public partial class StyleTests
{
    private const int LinesMax = 400;

    [Fact]
    public void Files_are_short()
    {
        string[] tooLong = [.. Repository.Files(".cs")
            .Select(path => (Path: path, Lines: Repository.Read(path).AsSpan().Count('\n')))
            .Where(file => file.Lines > LinesMax)
            .Select(file => $"{file.Path} has {file.Lines} lines")];
        Assert.True(tooLong.Length == 0, string.Join("; ", tooLong));
    }

    [Fact]
    public void Names_say_something()
    {
        string[] empty = [.. Repository.Files(".cs").Where(path => EmptyName().IsMatch(Path.GetFileNameWithoutExtension(path)))];
        Assert.True(empty.Length == 0, string.Join(", ", empty));
    }

    [Fact]
    public void Nothing_is_left_unfinished()
    {
        string[] left = [.. Repository.Files(".cs", ".sh", ".md", ".yaml").Where(path => !path.StartsWith("tests/House.Tests/", StringComparison.Ordinal))
            .Where(path => Unfinished().IsMatch(Repository.Read(path)))];
        Assert.True(left.Length == 0, string.Join(", ", left));
    }

    [Fact]
    public void No_file_names_a_place_on_one_machine()
    {
        string[] found = [.. Repository.Files(".cs", ".sh", ".md", ".yaml", ".csproj", ".props", "/start", "/test", "run")
            .Where(path => !path.StartsWith("tests/House.Tests/", StringComparison.Ordinal))
            .Where(path => MachinePath().IsMatch(Repository.Read(path)))];
        Assert.True(found.Length == 0, string.Join(", ", found));
    }

    [GeneratedRegex("(Manager|Helper|Helpers|Util|Utils|Common|Misc|Impl)$")]
    private static partial Regex EmptyName();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|NotImplementedException")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"(?<![\w.])/(work|root|home)/")]
    private static partial Regex MachinePath();
}
