using System.Text;
using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Shaping.Redaction;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Contract;
using LogPipeline.Testing.Time;

namespace LogPipeline.Agent.Tests.Shaping;

/// <summary>What is replaced, and what is taken from lines for key and time.</summary>
public sealed class RedactionTests
{
    [Theory]
    [InlineData("card 4111 1111 1111 1111 ok", "card [credit_card] ok")]
    [InlineData("4111-1111-1111-1111", "[credit_card]")]
    [InlineData("a=378282246310005&b=4111111111111111", "a=[credit_card]&b=[credit_card]")]
    [InlineData("4111 1111 1111 1111 200", "[credit_card] 200")]
    [InlineData("5555555555554444,5105105105105100", "[credit_card],[credit_card]")]
    [InlineData("4111 1111 1111 1112", null)]
    [InlineData("41111111111111111111111111", null)]
    [InlineData("2026-11-26 08:00:00.123 id=1234567890123", null)]
    [InlineData("", null)]
    public void Cards(string line, string? expected) => Check(new CreditCards(), line, expected);

    [Theory]
    [InlineData("from <a.b+c@mail.example.com>, to x@y.org.", "from <[email]>, to [email].")]
    [InlineData("user@host @ a@b @x.com", null)]
    [InlineData("é a@b.cc@d.ee", "é [email]@d.ee")]
    public void Addresses(string line, string? expected) => Check(new EmailAddresses(), line, expected);

    [Theory]
    [InlineData("Authorization: Bearer eyJhbGciOi.abc-_=\" x", "Authorization: Bearer [token]\" x")]
    [InlineData("bearer abcd BEARER 12345", "bearer [token] BEARER [token]")]
    [InlineData("the bearer of this", null)]
    public void Tokens(string line, string? expected) => Check(new BearerTokens(), line, expected);

    [Theory]
    [InlineData("é password=geheim! x password=b", "é password=* x password=*")]
    [InlineData("nothing", null)]
    public void Patterns(string line, string? expected) => Check(new PatternRedaction(new LinePattern("password=\\S+"), "password=*"), line, expected);

    [Fact]
    public void A_record_is_redacted_in_all_its_lines_and_says_so() => AgentRig.OnOneThread(async rig =>
    {
        InputOptions input = rig.Options.Inputs[0] with
        {
            Redact = [new EmailAddresses(), new CreditCards()],
            Multiline = new MultilineOptions { Continue = new LinePattern("^ ") },
            Labels = [new("env", "prod")],
        };
        rig.Options = rig.Options with { Inputs = [input] };
        const string Text = "plain\nmail a@b.org\n card 4111111111111111\nend\nlast\n";
        rig.Append(Text);
        await rig.StartAsync();
        await rig.UntilLinesAsync(3);
        Assert.Equal(["plain", "mail [email]\n card [credit_card]", "end"], rig.Lines());
        Assert.Equal([PositionFlags.None, PositionFlags.Shaped, PositionFlags.None], rig.Broker.Records().Select(r => r.Position.Flags));
        EncodingTests.CheckRanges(rig, Encoding.UTF8.GetBytes(Text));
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(TimeForm.Clf, "1.2.3.4 - - [26/Nov/2026:08:00:00 +0100] \"GET /\"", 1795676400000)]
    [InlineData(TimeForm.Iso8601, "[INF] 2026-11-26T08:00:00.5+01:00 x", 1795676400500)]
    [InlineData(TimeForm.Epoch, "{\"t\":1795680000.25x", 1795680000000)]
    [InlineData(TimeForm.Epoch, "1795680000.250", 1795680000250)]
    [InlineData(TimeForm.Epoch, "a 17 1795680000123456789", 1795680000123)]
    [InlineData(TimeForm.Clf, "[26/Nop/2026:08:00:00 +0100]", null)]
    [InlineData(TimeForm.Iso8601, "no time 2026-11", null)]
    [InlineData(TimeForm.Rfc3164, "<13>Now", null)]
    public void Times_of_lines(TimeForm form, string line, long? expected) =>
        Assert.Equal(expected, TimeInLine.Read(form, Encoding.UTF8.GetBytes(line), new ManualTime()));

    /// <summary>It is the first of January 2026.</summary>
    [Theory]
    [InlineData("<13>Jan  3 08:00:00 h app: of a clock that is ahead", 2026)]
    [InlineData("Dec 31 08:00:00 h app: x", 2025)]
    [InlineData("Jun 20 08:00:00 h app: of an old file, and none of the next summer", 2025)]
    public void A_time_of_syslog_without_a_year_is_none_to_come(string line, int expected) =>
        Assert.Equal(expected, DateTimeOffset.FromUnixTimeMilliseconds(TimeInLine.Read(TimeForm.Rfc3164, Encoding.UTF8.GetBytes(line), new ManualTime())!.Value).Year);

    [Theory]
    [InlineData("user=anna did", "anna")]
    [InlineData("nobody", null)]
    public void A_key_is_the_first_group(string line, string? expected) =>
        Assert.Equal(expected, new LinePattern("user=(\\w+)").FirstGroup(Encoding.UTF8.GetBytes(line)));

    [Theory]
    [InlineData(@"\d{16}", false)]
    [InlineData(@"key=[a-z*+]{1,40}\+\*", false)]
    [InlineData(@"[]+]x\{3,\}", false)]
    [InlineData(@"password=\S+", true)]
    [InlineData("BEGIN[^-]*END", true)]
    [InlineData("a{3,}", true)]
    [InlineData("(x{30}){30}", true)]
    public void A_pattern_that_may_match_more_than_a_part_is_known(string expression, bool isLong) =>
        Assert.Equal(isLong, new LinePattern(expression).MatchBytesMax > 4 * 1024 * 2);

    [Theory]
    [InlineData("(")]
    [InlineData("(?=x)")]
    [InlineData("(a)\\1")]
    public void What_is_no_pattern_or_may_take_for_ever_is_refused(string expression) => Assert.ThrowsAny<ArgumentException>(() => new LinePattern(expression));

    private static void Check(IRedaction redaction, string line, string? expected)
    {
        ReadOnlySpan<byte> redacted = new MatchBorders([redaction]).Redact(Encoding.UTF8.GetBytes(line), out bool isChanged);
        Assert.Equal(expected is not null, isChanged);
        Assert.Equal(expected ?? line, Encoding.UTF8.GetString(redacted));
    }
}
