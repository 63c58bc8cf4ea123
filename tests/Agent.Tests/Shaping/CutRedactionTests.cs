using System.Text;
using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Shaping.Redaction;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Contract;

namespace LogPipeline.Agent.Tests.Shaping;

/// <summary>Secrets that lie where a long line is cut into parts: none leaves the host in two halves, wherever the agent is killed.</summary>
public sealed class CutRedactionTests
{
    private const int LineBytesMax = 1024;

    private static readonly IReadOnlyList<IRedaction> s_rules =
        [new EmailAddresses(), new CreditCards(), new BearerTokens(), new PatternRedaction(new LinePattern(@"\bpassword=\S+"), "password=*"),
        // matches only what the one before left
        new PatternRedaction(new LinePattern(@"user \[email\] of \w+"), "somebody")];

    private static readonly string[] s_secrets =
        ["anna.b+c@mail.example.com", "4111 1111 1111 1111", "378282246310005", "Bearer eyJhbGciOi.abc-_=", "password=geheim-und-lang!", "user a@b.org of accounts"];

    static CutRedactionTests() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void A_secret_across_the_cut_is_replaced_wherever_the_cut_falls(int secret)
    {
        for (int before = LineBytesMax - s_secrets[secret].Length - 2; before <= LineBytesMax + 1; before++)
        {
            string line = new string('y', before - 1) + " " + s_secrets[secret] + " " + new string('z', 2000);
            CheckFile(TextEncoding.Auto, Encoding.UTF8, [line, "next"], killAt: before % 3);
        }
    }

    [Theory]
    [InlineData(TextEncoding.Auto, "utf-8")]
    [InlineData(TextEncoding.Utf8, "utf-8")]
    [InlineData(TextEncoding.Utf16LittleEndian, "utf-16")]
    [InlineData(TextEncoding.Utf16BigEndian, "utf-16BE")]
    [InlineData(TextEncoding.Gb18030, "gb18030")]
    [InlineData(TextEncoding.ShiftJis, "shift_jis")]
    [InlineData(TextEncoding.Latin1, "latin1")]
    public void The_parts_of_any_line_joined_are_the_redacted_line(TextEncoding encoding, string name)
    {
        var coding = Encoding.GetEncoding(name);
        for (int seed = 0; seed < 12; seed++)
        {
            var random = new Random(seed);
            string[] lines = [.. Enumerable.Range(0, 3).Select(_ => coding.GetString(coding.GetBytes(RandomLine(random, random.Next(200, 9000)))))];
            CheckFile(encoding, coding, lines, killAt: seed % 4);
        }
    }

    [Theory]
    [InlineData("Bearer ", "[token]")]
    [InlineData("password=", "password=*")]
    public void A_match_as_long_as_a_line_may_be_is_replaced_whole(string word, string replaced) => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = With(rig.Options, input => input with { Redact = s_rules });
        string secret = word + new string('x', LineBytesMax - word.Length);
        rig.Append("a " + new string('y', 1000) + " " + secret + " b\n");
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Count > 0 && rig.Agent.IsCaughtUp, "the line");
        await rig.StopAsync();
        Assert.Equal("a " + new string('y', 1000) + " " + (word == "Bearer " ? word : "") + replaced + " b", string.Concat(rig.Lines()));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_longer_match_leaves_the_rest_of_the_line_out_and_is_told(bool isKilled) => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = With(rig.Options, input => input with { Redact = s_rules });
        const string Begin = "begin ";
        rig.Append(Begin + "password=" + new string('x', 6000));
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Count > 0 && rig.Log.Lines.Any(static w => w.Contains("longer than max_line_bytes", StringComparison.Ordinal)), "the first part");
        if (isKilled)
        {
            await rig.PassAsync(TimeSpan.FromMilliseconds(50));
            rig.Kill();
            await rig.StartAsync();
        }
        rig.Append(new string('x', 5000) + " and more " + new string('q', 5000) + "\nnext\n");
        await rig.UntilAsync(() => rig.Lines()[^1] == "next" && rig.Agent.IsCaughtUp, "the next line");
        Assert.Equal([Begin, "next"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void Of_a_line_that_is_left_out_no_part_is_sent_after_a_restart() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = With(rig.Options, input => input with { ExcludeLines = [new LinePattern("^x")] });
        rig.Append("first\nx" + new string('y', 5000));
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp && rig.Lines().Count == 1, "the first line");
        await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        rig.Kill();
        await rig.StartAsync();
        rig.Append(new string('y', 5000) + "\nnext\n");
        await rig.UntilAsync(() => rig.Lines()[^1] == "next" && rig.Agent.IsCaughtUp, "the next line");
        Assert.Equal(["first", "next"], rig.Lines());
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(16)]
    [InlineData(100)]
    public void Pieces_of_a_container_are_searched_as_one_line(int piece)
    {
        for (int seed = 0; seed < 12; seed++)
        {
            var random = new Random(seed);
            string[] lines = [.. Enumerable.Range(0, 3).Select(_ => RandomLine(random, random.Next(200, 7000)))];
            List<byte> file = [];
            foreach (byte[] line in lines.Select(Encoding.UTF8.GetBytes))
            {
                for (int at = 0; at < line.Length; at += piece)
                {
                    bool isLast = at + piece >= line.Length;
                    file.AddRange([.. isLast ? "2026-11-26T08:00:00Z stdout F "u8 : "2026-11-26T08:00:00Z stdout P "u8]);
                    file.AddRange(line.AsSpan(at, Math.Min(piece, line.Length - at)));
                    file.Add((byte)'\n');
                }
            }
            Check([.. file], lines, seed % 4, static input => input with { Format = LineFormat.Cri });
        }
    }

    [Fact]
    public void A_match_over_the_lines_of_a_group_is_replaced_where_the_group_is_cut()
    {
        InputOptions Shape(InputOptions input) => input with
        {
            Multiline = new MultilineOptions { Continue = new LinePattern("^ ") },
            Redact = [new PatternRedaction(new LinePattern("BEGIN[^-]*END"), "[key]")],
        };
        for (int before = 10; before < 40; before++)
        {
            string group = string.Join('\n', Enumerable.Range(0, before).Select(static i => $" {i} of the lines before the key"))[1..]
                + "\n BEGIN\n abc\n def\n ghi\n END\n" + string.Join('\n', Enumerable.Range(0, 60).Select(static i => $" {i} of those behind it"));
            Check(Encoding.UTF8.GetBytes(group + "\nnext\nlast\n"), [group, "next"], before % 3, Shape);
        }
    }

    private static void CheckFile(TextEncoding encoding, Encoding coding, string[] lines, int killAt) =>
        Check(coding.GetBytes(string.Concat(lines.Select(static line => line + "\n"))), lines, killAt, input => input with { Encoding = encoding });

    /// <summary>Reads a file in two halves, killed between them or not, and compares its lines, parts joined, with what the redactions make of them whole.</summary>
    private static void Check(byte[] file, string[] lines, int killAt, Func<InputOptions, InputOptions> shape) => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = With(rig.Options, input => shape(input with { Redact = s_rules }));
        var whole = new MatchBorders(rig.Options.Inputs[0].Redact);
        List<string> expected = [.. lines.Select(line => Encoding.UTF8.GetString(whole.Redact(Encoding.UTF8.GetBytes(line), out _)))];
        rig.Append(file[..(file.Length * killAt / 4)]);
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromMilliseconds(20));
        if (killAt > 0)
        {
            rig.Kill();
            await rig.StartAsync();
        }
        rig.Append(file[(file.Length * killAt / 4)..]);
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp && Joined(rig).Count == lines.Length, "all lines");
        await rig.PassAsync(TimeSpan.FromMilliseconds(20));
        Assert.Equal(expected, Joined(rig));
        EncodingTests.CheckRanges(rig, file);
        Assert.All(rig.Broker.Records(), static record => Assert.InRange(record.Value.Length, 0, LineBytesMax + 100)); // a piece more, where a match is to be held together
        await rig.StopAsync();
    });

    /// <summary>The lines that have ended, each with its parts joined.</summary>
    private static List<string> Joined(AgentRig rig)
    {
        List<string> lines = [];
        List<byte> line = [];
        foreach ((RecordPosition position, byte[] value) in rig.Broker.Records())
        {
            line.AddRange(value);
            if (position.Part == 0 || position.IsLast)
            {
                lines.Add(Encoding.UTF8.GetString([.. line]));
                line.Clear();
            }
        }
        return lines;
    }

    private static string RandomLine(Random random, int length)
    {
        string[] words = ["one", "two;", "é", "中文", "{\"k\":", "12345", "2026-11-26", "a", "x_y", "\U0001F600", ","];
        var line = new StringBuilder();
        while (line.Length < length)
        {
            line.Append(random.Next(4) == 0 ? s_secrets[random.Next(s_secrets.Length)] : words[random.Next(words.Length)]);
            line.Append(random.Next(8) == 0 ? "" : " ");
        }
        return line.ToString();
    }

    private static AgentOptions With(AgentOptions options, Func<InputOptions, InputOptions> change) =>
        options with { Inputs = [change(options.Inputs[0])] };
}
