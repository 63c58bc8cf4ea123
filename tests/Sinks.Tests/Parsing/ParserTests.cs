using System.Globalization;
using System.Text;
using System.Text.Json;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Tests.Parsing;

/// <summary>Every parser: what it makes of good lines, and that no line makes it throw or leave its bytes.</summary>
public sealed class ParserTests
{
    private const long RecordTime = 1_795_000_000_000_000; // in November 2026

    internal static readonly ParserOptions[] Every =
    [
        "combined", "common", "vhost_combined", "json", "logfmt", "syslog", "iis", "stacktrace", "none",
        new() { Type = "nginx", Format = """$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent $request_time "$http_user_agent" $upstream_addr""" },
        new() { Type = "regex", Pattern = @"^(?<time>\S+) (?<level>[A-Z]+) (?<n>\d+) (?<place>\S+) (?<message>.*)$", Columns = [new("n", "int"), new("place", "text")] },
        new() { Type = "json", Columns = [new("status", "int"), new("user_id", "bigint from user.id"), new("ok", "bool"), new("client", "inet"), new("took", "double"), new("tags", "json"), new("at", "time")] },
    ];

    /// <summary>One for each of <see cref="Every"/> at least.</summary>
    private static readonly string[] Good =
    [
        """1.2.3.4 - bob [21/Nov/2026:13:05:09 +0100] "GET /a?b=c HTTP/1.1" 200 12 "http://r/" "curl/8" """.TrimEnd(),
        """1.2.3.4 - - [21/Nov/2026:13:05:09 +0100] "GET /a HTTP/1.1" 200 12""",
        """www.example.com:443 10.1.2.3 - - [21/Nov/2026:13:05:09 +0100] "GET /a HTTP/1.1" 200 12 "-" "curl/8" """.TrimEnd(),
        """1.2.3.4 - - [21/Nov/2026:13:05:09 +0100] "GET /a HTTP/1.1" 200 12 0.25 "curl/8" 10.0.0.1:80""",
        """{"time":"2026-11-21T12:05:09.5Z","level":"warn","msg":"a \"b\" \u00e9","status":404,"user":{"id":7,"name":"x"},"ok":true,"client":"::1","took":1.5,"tags":["a",1e3],"at":1795000000,"rest":{"z":"\u0000\ud800"}}""",
        """time=2026-11-21T12:05:09Z level=error msg="could not \"open\"" path=/a/b took=3ms empty= quote="\u00e9" """.TrimEnd(),
        """<34>1 2026-11-21T12:05:09.003Z host app 123 ID47 [a@1 k="v\"]"][b] message text""",
        "<13>Nov 21 13:05:09 host app[12]: message",
        "2026-11-21T12:05:09.003+01:00 host app: message",
        "2026-11-21 12:05:09 10.0.0.1 GET /a - 443 - 10.0.0.2 Mozilla/5.0+(X) - 200 0 0 15",
        "2026-11-21T12:05:09Z INFO 12 käse.c the message",
        "2026-11-21 12:05:09,123 ERROR [main] c.e.App - failed\njava.lang.IllegalStateException: broken: x\n\tat c.e.App.main(App.java:1)\n",
        "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nValueError: bad",
        "Unhandled exception. System.InvalidOperationException: no\n   at A.B() in C:line 1",
    ];

    internal static Dictionary<string, object?>? Parse(ILineParser parser, ReadOnlySpan<byte> line)
    {
        using var scratch = new PooledBytes();
        scratch.Append("before"u8);
        var fields = new Field[parser.Columns.Count];
        var found = new ParsedLine(fields, scratch) { RecordTime = RecordTime };
        if (!parser.TryParse(line, ref found))
        {
            return null;
        }
        var values = new Dictionary<string, object?> { ["event time"] = found.EventTime == ParsedLine.NoTime ? null : At(found.EventTime) };
        for (int i = 0; i < fields.Length; i++)
        {
            values.Add(parser.Columns[i].Name, fields[i].HasValue ? Value(fields[i], parser.Columns[i].Kind, line, scratch) : null);
        }
        return values;
    }

    private static object Value(Field field, ColumnKind kind, ReadOnlySpan<byte> line, PooledBytes scratch)
    {
        // Slices: a field beyond its bytes throws. Strict: text that is not UTF-8 throws.
        ReadOnlySpan<byte> bytes = field.Place == FieldPlace.Here ? default : field.Place == FieldPlace.Line ? line.Slice(field.Start, field.Length) : scratch.Span(0, scratch.Used).Slice(field.Start, field.Length);
        switch (kind)
        {
            case ColumnKind.Text: return Strict.GetString(bytes);
            case ColumnKind.Json:
                JsonDocument.Parse(bytes.ToArray()).Dispose();
                return Strict.GetString(bytes);
            case ColumnKind.Address: return new System.Net.IPAddress(bytes).ToString();
            case ColumnKind.Double: return double.IsFinite(field.Double) ? field.Double : throw new InvalidOperationException("not finite");
            case ColumnKind.Boolean: return field.Number != 0;
            case ColumnKind.Time: return At(field.Number);
            case ColumnKind.Integer: return checked((int)field.Number);
            default: return field.Number;
        }
    }

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private static DateTimeOffset At(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(checked(microseconds * TimeSpan.TicksPerMicrosecond));

    private static Dictionary<string, object?>? Parse(ParserOptions options, string line) => Parse(LineParsers.Named(options), Encoding.UTF8.GetBytes(line));

    private static string Shown(ParserOptions options, string line) => Parse(options, line) is { } values
        ? string.Join(" | ", values.Where(value => value.Value is not null).Select(value => $"{value.Key}={(value.Value is DateTimeOffset time ? time.ToString("yyyy-MM-ddTHH:mm:ss.fff", CultureInfo.InvariantCulture) : Convert.ToString(value.Value, CultureInfo.InvariantCulture))}"))
        : "not parsed";

    [Fact]
    public void Damaged_and_random_lines_never_throw_and_fields_stay_within_their_bytes()
    {
        var random = new Random(20261127);
        byte[][] good = [.. Good.Select(Encoding.UTF8.GetBytes)];
        ILineParser[] parsers = [.. Every.Select(LineParsers.Named)];
        int[] fits = new int[parsers.Length];
        for (int i = 0; i < 30_000; i++)
        {
            byte[] line = i < good.Length ? good[i] : Hostile(random);
            line = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(line).Replace('\0', '\u2400')); // as a batch's text is
            for (int p = 0; p < parsers.Length; p++)
            {
                fits[p] += Parse(parsers[p], line) is null ? 0 : 1;
            }
        }
        Assert.All(fits.Select((count, p) => (count, parsers[p].Name)).Where(fit => fit.Name != "none"), fit => Assert.True(fit.count > 100, $"{fit.Name} fitted {fit.count} lines: the damage tells nothing"));
    }

    /// <summary>A good line that is damaged, or noise.</summary>
    internal static byte[] Hostile(Random random) => random.Next(10) == 0 ? Noise(random)
        : Damaged(random, Encoding.UTF8.GetBytes(Good[random.Next(Good.Length)]), Encoding.UTF8.GetBytes(Good[random.Next(Good.Length)]));

    private static byte[] Noise(Random random)
    {
        byte[] line = new byte[random.Next(200)];
        random.NextBytes(line);
        return line;
    }

    private static byte[] Damaged(Random random, byte[] line, byte[] other)
    {
        var bytes = new List<byte>(line);
        for (int edits = random.Next(4); edits >= 0 && bytes.Count > 0; edits--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0: bytes.RemoveAt(at); break;
                case 1: bytes.Insert(at, (byte)" \"[]\\{}:,=-<>\n\tu0"[random.Next(17)]); break;
                case 2: bytes[at] = (byte)random.Next(256); break;
                case 3: bytes.RemoveRange(at, Math.Min(random.Next(20), bytes.Count - at)); break;
                case 4: bytes.AddRange(other.AsSpan(random.Next(other.Length))); break;
                default: bytes.InsertRange(at, "\\ud83d\\u0000"u8); break;
            }
        }
        return [.. bytes];
    }

    [Theory]
    [InlineData("date time s-sitename cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
        "2026-11-21 12:05:09 W3SVC1 GET /a - 443 - 10.0.0.2 ua - 200 0 0 15")]
    [InlineData("date time c-ip cs-username s-ip cs-method cs-uri-stem s-port cs-uri-query cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
        "2026-11-21 12:05:09 10.0.0.2 bob 10.0.0.1 GET /a 443 - ua - 200 0 0 15")]
    [InlineData("date time s-ip cs-uri-stem cs-method cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
        "2026-11-21 12:05:09 10.0.0.1 /a GET - 443 - 10.0.0.2 ua - 200 0 0 15")]
    public void Values_of_IIS_in_another_order_are_not_taken_for_those_of_the_columns(string fields, string line)
    {
        Assert.Equal("not parsed", Shown("iis", line));
        Assert.NotEqual("not parsed", Shown(new ParserOptions { Type = "iis", Format = $"#Fields: {fields}" }, line));
    }

    [Theory]
    [InlineData("combined", 0, "event time=2026-11-21T12:05:09.000 | remote_addr=1.2.3.4 | remote_user=bob | time_local=2026-11-21T12:05:09.000 | method=GET | path=/a | query=b=c | protocol=HTTP/1.1 | status=200 | body_bytes_sent=12 | http_referer=http://r/ | http_user_agent=curl/8")]
    [InlineData("common", 1, "event time=2026-11-21T12:05:09.000 | remote_addr=1.2.3.4 | time_local=2026-11-21T12:05:09.000 | method=GET | path=/a | protocol=HTTP/1.1 | status=200 | body_bytes_sent=12")]
    [InlineData("vhost_combined", 2, "event time=2026-11-21T12:05:09.000 | remote_addr=10.1.2.3 | time_local=2026-11-21T12:05:09.000 | method=GET | path=/a | protocol=HTTP/1.1 | status=200 | body_bytes_sent=12 | http_user_agent=curl/8 | server_name=www.example.com | server_port=443")]
    [InlineData("combined", 2, "not parsed")]
    [InlineData("combined", 1, "not parsed")]
    [InlineData("logfmt", 5, """event time=2026-11-21T12:05:09.000 | level=error | message=could not "open" | fields={"path":"/a/b","took":"3ms","empty":"","quote":"\u00e9"}""")]
    [InlineData("syslog", 6, """event time=2026-11-21T12:05:09.003 | facility=4 | severity=2 | level=critical | host_name=host | app_name=app | process_id=123 | message_id=ID47 | structured_data=[a@1 k="v\"]"][b] | message=message text""")]
    [InlineData("syslog", 7, "event time=2026-11-21T13:05:09.000 | facility=1 | severity=5 | level=notice | host_name=host | app_name=app | process_id=12 | message=message")]
    [InlineData("syslog", 8, "event time=2026-11-21T11:05:09.003 | host_name=host | app_name=app | message=message")]
    [InlineData("iis", 9, "event time=2026-11-21T12:05:09.000 | s_ip=10.0.0.1 | cs_method=GET | cs_uri_stem=/a | s_port=443 | c_ip=10.0.0.2 | cs_user_agent=Mozilla/5.0+(X) | sc_status=200 | sc_substatus=0 | sc_win32_status=0 | time_taken=15")]
    [InlineData("stacktrace", 11, "event time=2026-11-21T12:05:09.123 | level=ERROR | exception=java.lang.IllegalStateException | message=broken: x")]
    [InlineData("stacktrace", 12, "exception=ValueError | message=bad")]
    [InlineData("stacktrace", 13, "exception=System.InvalidOperationException | message=no")]
    [InlineData("stacktrace", 0, "not parsed")]
    [InlineData("logfmt", 0, "not parsed")]
    [InlineData("none", 0, "not parsed")]
    public void Good_lines_give_their_columns(string parser, int line, string expected) => Assert.Equal(expected, Shown(parser, Good[line]));

    [Fact]
    public void A_format_of_nginx_gives_typed_columns() => Assert.Equal(
        "event time=2026-11-21T12:05:09.000 | remote_addr=1.2.3.4 | time_local=2026-11-21T12:05:09.000 | method=GET | path=/a | protocol=HTTP/1.1 | status=200 | body_bytes_sent=12 | request_time=0.25 | http_user_agent=curl/8 | upstream_addr=10.0.0.1:80",
        Shown(Every[9], Good[3]));

    [Theory]
    [InlineData("$http_x_forwarded_for $remote_addr $status", "1.2.3.4, 5.6.7.8 10.0.0.9 200", "http_x_forwarded_for=1.2.3.4, 5.6.7.8 | remote_addr=10.0.0.9 | status=200")]
    [InlineData("$upstream_addr $upstream_status $upstream_response_time $request_time", "10.0.0.1:80, unix:/run/a.sock : 10.0.0.3:80 502, 504 : 200 0.001, - : 0.003 0.004",
        "upstream_addr=10.0.0.1:80, unix:/run/a.sock : 10.0.0.3:80 | upstream_status=502, 504 : 200 | upstream_response_time=0.001, - : 0.003 | request_time=0.004")]
    [InlineData("$upstream_addr $upstream_status", "- 200", "upstream_status=200")]
    [InlineData("$upstream_addr : $upstream_status", "10.0.0.1:80, 10.0.0.2:80 : 200", "upstream_addr=10.0.0.1:80, 10.0.0.2:80 | upstream_status=200")]
    public void Lists_of_nginx_are_one_value(string format, string line, string expected) => Assert.Equal(expected, Shown(new() { Type = "nginx", Format = format }, line));

    [Theory]
    [InlineData("<13>Nov 21 13:05:09 sshd[12]: no host", "app_name=sshd | process_id=12 | message=no host")]
    [InlineData("<13>Nov 21 13:05:09 root: no host", "app_name=root | message=no host")]
    [InlineData("<13>Nov 21 13:05:09 fe80:: app: x", "host_name=fe80:: | app_name=app | message=x")]
    [InlineData("<13>Nov 21 13:05:09 2026 host app: x", "not parsed")]
    public void What_stands_in_the_host_s_place_is_not_taken_for_one(string line, string expected) =>
        Assert.EndsWith(expected.StartsWith("not", StringComparison.Ordinal) ? expected : $"level=notice | {expected}", Shown("syslog", line), StringComparison.Ordinal);

    [Fact]
    public void Pairs_of_logfmt_may_have_tabs_between_them() => Assert.Equal("""level=warn | fields={"a":"1","b":"x\ty"}""", Shown("logfmt", "a=1\tlevel=warn \tb=\"x\\ty\""));

    [Fact]
    public void Of_a_key_that_stands_twice_the_second_value_is_kept_in_the_rest() =>
        Assert.Equal("""level=info | message=a | fields={"level":"warn","message":"b"}""", Shown("logfmt", "level=info msg=a level=warn message=b"));

    [Fact]
    public void An_address_of_IIS_may_have_its_zone() => Assert.Contains(
        "c_ip=fe80::1%12", Shown("iis", "2026-11-21 12:05:09 ::1 GET /a - 443 - fe80::1%12 Mozilla/5.0+(X) - 200 0 0 15"), StringComparison.Ordinal);

    [Fact]
    public void Groups_of_an_expression_are_columns_also_behind_letters_of_two_bytes() => Assert.Equal(
        "event time=2026-11-21T12:05:09.000 | level=INFO | n=12 | message=the message", Shown(Every[10] with { Columns = [new("n", "int")], Pattern = @"^(?<time>\S+) (?<level>[A-Z]+) (?<n>\d+) \S+ (?<message>.*)$" }, Good[10]));

    [Fact]
    public void Paths_lead_into_objects_and_the_rest_is_kept_as_the_database_takes_it() => Assert.Equal(
        """event time=2026-11-21T12:05:09.500 | status=404 | user_id=7 | ok=True | client=::1 | took=1.5 | tags=["a",1e3] | at=2026-11-18T11:06:40.000 | level=warn | message=a "b" é | fields={"user":{"id":7,"name":"x"},"rest":{"z":"\u2400\ufffd"}}""",
        Shown(Every[11], Good[4]));

    [Theory]
    [InlineData("""{"status":"4o4"}""")]
    [InlineData("""{"status":99999999999}""")]
    [InlineData("""{"client":"nowhere"}""")]
    [InlineData("""{"ok":"perhaps"}""")]
    [InlineData("""{"status":1} x""")]
    [InlineData("""{"status":1}}""")]
    [InlineData("[1]")]
    public void A_value_of_another_type_makes_a_line_another_form(string line) => Assert.Equal("not parsed", Shown(Every[11], line));

    [Theory]
    [InlineData("203.0.113.7, 10.0.0.1 - - [21/Nov/2026:13:05:09 +0100] \"GET /a HTTP/1.1\" 200 1 \"-\" \"c\"", "203.0.113.7")]
    [InlineData("203.0.113.7, 10.0.0.1, ::1 - bob [21/Nov/2026:13:05:09 +0100] \"GET /a HTTP/1.1\" 200 1 \"-\" \"c\"", "203.0.113.7")]
    [InlineData("203.0.113.7, - - [21/Nov/2026:13:05:09 +0100] \"GET /a HTTP/1.1\" 200 1 \"-\" \"c\"", null)]
    public void Of_a_list_of_proxies_the_first_address_counts(string line, string? expected) => Assert.Equal(expected, Parse("combined", line)?["remote_addr"]);

    [Theory]
    [InlineData("iso8601", "2026-11-21T13:05:09,25+01:00", "2026-11-21T12:05:09.250")]
    [InlineData("epoch", "1795262709.5", "2026-11-21T12:05:09.500")]
    [InlineData("epoch", "1795262709500", "2026-11-21T12:05:09.500")]
    [InlineData("clf", "21/Nov/2026:13:05:09 +0100", "2026-11-21T12:05:09.000")]
    [InlineData("syslog", "Nov 21 12:05:09", "2026-11-21T12:05:09.000")]
    [InlineData("syslog", "Nov 24 12:05:09", "2026-11-24T12:05:09.000")]
    [InlineData("syslog", "Dec 31 12:05:09", "2025-12-31T12:05:09.000")]
    [InlineData("%b %e %T", "Jan  2 12:05:09", "2026-01-02T12:05:09.000")]
    [InlineData("%d.%m.%Y %T", "21.11.2026 12:05:09", "2026-11-21T12:05:09.000")]
    [InlineData("%b %e %H:%M:%S.%f", "Nov 21 12:05:09.5", "2026-11-21T12:05:09.500")]
    [InlineData("%y%m%d %H%M%S%z", "261121 120509+0000", "2026-11-21T12:05:09.000")]
    [InlineData("%s%%", "1795262709%", "2026-11-21T12:05:09.000")]
    [InlineData("%Y-%m-%d", "2026-02-30", "not parsed")]
    [InlineData("iso8601", "2026-11-21", "not parsed")]
    public void Times_are_read_as_their_format_says(string format, string text, string expected)
    {
        string shown = Shown(new ParserOptions { Type = "regex", Pattern = "^(?<when>.*)$", TimeField = "when", TimeFormat = format }, text);
        Assert.Equal(expected == "not parsed" ? expected : $"event time={expected}", shown);
    }

    [Theory]
    [InlineData("combind", null, null, null, null, "did you mean combined?")]
    [InlineData("nginx", null, null, null, null, "needs `format`")]
    [InlineData("nginx", "$status$uri", null, null, null, "nothing stands between")]
    [InlineData("nginx", "$ ", null, null, null, "${status}")]
    [InlineData("nginx", "no variable", null, null, null, "there is no variable")]
    [InlineData("combined", "x", null, null, null, "takes no `format`")]
    [InlineData("regex", null, null, null, null, "needs `pattern`")]
    [InlineData("regex", null, "(?<a>", null, null, "pattern:")]
    [InlineData("regex", null, "(?=x)(?<a>x)", null, null, "looking ahead")]
    [InlineData("regex", null, "x", null, null, "no named group")]
    [InlineData("regex", null, "(?<status>x)", "statsu: int", null, "did you mean status?")]
    [InlineData("regex", null, "(?<status>x)", "status: itn", null, "did you mean int?")]
    [InlineData("regex", null, "(?<select>x)", null, null, "field_select")]
    [InlineData("json", null, null, "time: int", null, "field_time")]
    [InlineData("json", null, null, "a: int", "iso8602", "did you mean iso8601?")]
    [InlineData("json", null, null, "a: int", "%Y %Q", "`%Q` is unknown")]
    [InlineData("iis", "s-ip", null, null, null, "date and time")]
    public void What_is_wrong_in_the_settings_is_named_with_the_nearest(string type, string? format, string? pattern, string? column, string? timeFormat, string reason)
    {
        var options = new ParserOptions { Type = type, Format = format, Pattern = pattern, TimeFormat = timeFormat };
        if (column is not null)
        {
            options = options with { Columns = [new(column.Split(": ")[0], column.Split(": ")[1])] };
        }
        Assert.Contains(reason, Assert.Throws<SinkConfigurationException>(() => LineParsers.Named(options)).Message, StringComparison.Ordinal);
    }
}
