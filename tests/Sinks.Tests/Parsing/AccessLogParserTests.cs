using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Tests.Parsing;

public sealed class AccessLogParserTests
{
    private static readonly AccessLogParser Parser = new("combined");

    private static Dictionary<string, object?>? Parse(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        var fields = new Field[Parser.Columns.Count];
        using var scratch = new PooledBytes();
        var line = new ParsedLine(fields, scratch);
        if (!Parser.TryParse(bytes, ref line))
        {
            return null;
        }
        var values = new Dictionary<string, object?>();
        for (int i = 0; i < fields.Length; i++)
        {
            object? value = !fields[i].HasValue ? null
                : Parser.Columns[i].Kind == ColumnKind.Text ? Encoding.UTF8.GetString(bytes, fields[i].Start, fields[i].Length) : fields[i].Number;
            values[Parser.Columns[i].Name] = value;
        }
        Assert.Equal(line.EventTime, values["time_local"]);
        return values;
    }

    private static string Line(
        string addr = "1.2.3.4", string user = "-", string time = "21/Nov/2026:13:05:09 +0100", string request = "GET / HTTP/1.1",
        string status = "200", string bytes = "12", string referer = "-", string agent = "curl/8") =>
        $"{addr} - {user} [{time}] \"{request}\" {status} {bytes} \"{referer}\" \"{agent}\"";

    [Fact]
    public void A_line_of_nginx_gives_all_columns()
    {
        Dictionary<string, object?> row = Parse(Line(user: "alice", request: "POST /a/b?x=1&y=?2 HTTP/2.0", referer: "https://e.com/?q", agent: "Mozilla/5.0 (X11)"))!;
        Assert.Equal("1.2.3.4", row["remote_addr"]);
        Assert.Equal("alice", row["remote_user"]);
        Assert.Equal(new DateTimeOffset(2026, 11, 21, 12, 5, 9, TimeSpan.Zero).ToUnixTimeMilliseconds() * 1000, row["time_local"]);
        Assert.Equal("POST", row["method"]);
        Assert.Equal("/a/b", row["path"]);
        Assert.Equal("x=1&y=?2", row["query"]);
        Assert.Equal("HTTP/2.0", row["protocol"]);
        Assert.Equal(200L, row["status"]);
        Assert.Equal(12L, row["body_bytes_sent"]);
        Assert.Equal("https://e.com/?q", row["http_referer"]);
        Assert.Equal("Mozilla/5.0 (X11)", row["http_user_agent"]);
    }

    [Theory]
    [InlineData("""say \"hi\" """)]
    [InlineData("""\x22quoted\x22\x5C""")]
    [InlineData("""ends in two backslashes\\""")]
    [InlineData("")]
    [InlineData("ünïcode ✓")]
    public void Escaped_quotes_stay_inside_the_value(string agent) => Assert.Equal(agent, Parse(Line(agent: agent))!["http_user_agent"]);

    [Theory]
    [InlineData("2001:db8::1")]
    [InlineData("fe80::1%eth0")]
    [InlineData("unix:")]
    public void Addresses_are_taken_as_they_are(string addr) => Assert.Equal(addr, Parse(Line(addr: addr))!["remote_addr"]);

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("""\x16\x03\x01\x02\x00""")]
    [InlineData("get / HTTP/1.1")]
    [InlineData("GET")]
    [InlineData("GET HTTP/1.1")]
    public void A_malformed_request_leaves_its_columns_empty(string request)
    {
        Dictionary<string, object?> row = Parse(Line(request: request, status: "400"))!;
        Assert.Equal(400L, row["status"]);
        Assert.All(["method", "path", "query", "protocol"], name => Assert.Null(row[name]));
    }

    [Fact]
    public void A_request_of_the_first_protocol_has_no_version()
    {
        Dictionary<string, object?> row = Parse(Line(request: "GET /old?a"))!;
        Assert.Equal(["GET", "/old", "a", null], [row["method"], row["path"], row["query"], row["protocol"]]);
    }

    [Fact]
    public void Users_may_hold_spaces_and_brackets() => Assert.Equal("a [b] c", Parse(Line(user: "a [b] c"))!["remote_user"]);

    [Fact]
    public void Dashes_are_no_values()
    {
        Dictionary<string, object?> row = Parse(Line(bytes: "-"))!;
        Assert.All(["remote_user", "body_bytes_sent", "http_referer"], name => Assert.Null(row[name]));
    }

    [Fact]
    public void Text_after_the_agent_is_let_pass() => Assert.NotNull(Parse(Line() + " \"10.0.0.1\""));

    [Theory]
    [InlineData("32/Nov/2026:00:00:00 +0000")]
    [InlineData("29/Feb/2026:00:00:00 +0000")]
    [InlineData("01/Foo/2026:00:00:00 +0000")]
    [InlineData("01/Nov/2026:24:00:00 +0000")]
    [InlineData("01/Nov/2026:00:0x:00 +0000")]
    [InlineData("01/Nov/2026:00:00:00 00000")]
    [InlineData("31/Dec/9999:23:59:59 -0100")]
    [InlineData("31/Dec/9999:23:59:60 +0000")]
    [InlineData("01/Jan/0001:00:00:00 +0100")]
    public void Times_that_do_not_exist_do_not_parse(string time) => Assert.Null(Parse(Line(time: time)));

    [Fact]
    public void Every_prefix_of_a_line_is_either_refused_or_whole()
    {
        string line = Line(user: "u", agent: """a \"b\" c""");
        for (int length = 0; length < line.Length; length++)
        {
            Assert.Null(Parse(line[..length]));
        }
        Assert.NotNull(Parse(line));
    }

    [Fact]
    public void It_agrees_with_a_simple_reference_on_mutilated_lines()
    {
        string[] seeds = new[] { Line(), Line(user: "bob", agent: """x\"y"""), Line(request: "", bytes: "-"), Line(addr: "::1", referer: "http://r/") };
        Property property = Prop.ForAll<int, byte, byte>((position, kind, noise) =>
        {
            string line = seeds[kind % seeds.Length];
            int at = (int)((uint)position % (uint)line.Length);
            char character = " \"[]\\-/0aZ:+"[noise % 12];
            string mutilated = (kind / 4 % 3) switch { 0 => line.Remove(at, 1), 1 => line.Insert(at, character.ToString()), _ => line[..at] + character + line[(at + 1)..] };
            Assert.Equal(Reference(mutilated), Parse(mutilated));
        });
        property.Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    private const string Quoted = """((?:[^"\\]|\\.)*)""";

    private static readonly Regex Form = new(
        $"""^(?<addr>[^ ]+) [^ ]+ (?<user>.*?) \[(?<time>\d\d/\w\w\w/\d\d\d\d:\d\d:\d\d:\d\d [+-]\d\d\d\d)\] "(?<request>{Quoted})" (?<status>\d+) (?<bytes>\d+|-) "(?<referer>{Quoted})" "(?<agent>{Quoted})"( .*)?$""",
        RegexOptions.Singleline);

    /// <summary>The same form as one expression and the framework's own date parser.</summary>
    private static Dictionary<string, object?>? Reference(string line)
    {
        Match match = Form.Match(line);
        if (!match.Success || !DateTimeOffset.TryParseExact(
            match.Groups["time"].Value.Insert(24, ":"), "dd/MMM/yyyy:HH:mm:ss zzz", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset time))
        {
            return null;
        }
        static string? Dash(string text) => text == "-" ? null : text;
        Match request = Regex.Match(match.Groups["request"].Value, @"^(?<m>[A-Z]+) (?<t>.*?)(?: (?<p>HTTP/[^ ]*))?$", RegexOptions.Singleline);
        string target = request.Groups["t"].Value;
        bool isRequest = request.Success && target.Length > 0 && !(target.StartsWith("HTTP/", StringComparison.Ordinal) && !target.Contains(' '));
        int question = target.IndexOf('?', StringComparison.Ordinal);
        return new Dictionary<string, object?>
        {
            ["remote_addr"] = match.Groups["addr"].Value,
            ["remote_user"] = Dash(match.Groups["user"].Value),
            ["time_local"] = time.ToUnixTimeMilliseconds() * 1000,
            ["method"] = isRequest ? request.Groups["m"].Value : null,
            ["path"] = isRequest ? (question < 0 ? target : target[..question]) : null,
            ["query"] = isRequest && question >= 0 ? target[(question + 1)..] : null,
            ["protocol"] = isRequest && request.Groups["p"].Success ? request.Groups["p"].Value : null,
            ["status"] = long.Parse(match.Groups["status"].Value, CultureInfo.InvariantCulture),
            ["body_bytes_sent"] = match.Groups["bytes"].Value == "-" ? null : long.Parse(match.Groups["bytes"].Value, CultureInfo.InvariantCulture),
            ["http_referer"] = Dash(match.Groups["referer"].Value),
            ["http_user_agent"] = Dash(match.Groups["agent"].Value),
        };
    }
}
