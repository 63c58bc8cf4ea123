namespace LogPipeline.Hosting.Tests;

public sealed class ControlCharactersTests
{
    [Theory]
    [InlineData("/var/log/näme.log", "/var/log/näme.log")]
    [InlineData("a\nb\0c\x1b[2Jd\x7f", "a␊b␀c␛[2Jd␡")]
    [InlineData("a\tb\u009b1m", "a b\ufffd1m")]
    public void They_are_shown_and_not_obeyed(string text, string shown) => Assert.Equal(shown, ControlCharacters.Show(text));
}
