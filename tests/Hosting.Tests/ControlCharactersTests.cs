namespace LogPipeline.Hosting.Tests;

public sealed class ControlCharactersTests
{
    [Theory]
    [InlineData("/var/log/näme.log", "/var/log/näme.log")]
    [InlineData("a\nb\0c\x1b[2Jd\x7f", "a␊b␀c␛[2Jd␡")]
    [InlineData("a\tb\u009b1m", "a b\ufffd1m")]
    [InlineData("a\u202egnp.exe\u202cb\u2066c\u2069", "a\ufffdgnp.exe\ufffdb\ufffdc\ufffd")]
    [InlineData("\ufeffa\u200bb\u200e\u2028c", "\ufffda\ufffdb\ufffd\ufffdc")]
    [InlineData("\u0645\u06cc\u200c\u062e \ud83d\udc69\u200d\ud83d\udcbb", "\u0645\u06cc\u200c\u062e \ud83d\udc69\u200d\ud83d\udcbb")]
    public void They_are_shown_and_not_obeyed(string text, string shown) => Assert.Equal(shown, ControlCharacters.Show(text));
}
