using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Sinks.Tests.Query;

public class QueryParserTests
{
    private static readonly QueryFields Fields = new(LineParsers.Named("combined").Columns);
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private static string Shape(string query) => Shape(QueryParser.Parse(query, Fields, Now));

    private static string Shape(QueryNode? node) => node switch
    {
        AllOf all => $"({string.Join(" & ", all.Nodes.Select(Shape))})",
        AnyOf any => $"({string.Join(" | ", any.Nodes.Select(Shape))})",
        Opposite opposite => $"!{Shape(opposite.Node)}",
        HasValue has => $"{has.Field.Name}?",
        TextTest test => $"{test.Field.Name} {test.Kind} {test.Value}",
        Comparison { Value: DateTimeOffset time } comparison => $"{comparison.Field.Name} {comparison.Sign} {time:dd'T'HH:mm}",
        Comparison comparison => $"{comparison.Field.Name} {comparison.Sign} {comparison.Value}",
        _ => "",
    };

    [Theory]
    [InlineData("", "")]
    [InlineData("error", "line Contains error")]
    [InlineData("two words", "(line Contains two & line Contains words)")]
    [InlineData("\"two words\"", "line Contains two words")]
    [InlineData("\"a \\\"b\\\" \\\\\"", "line Contains a \"b\" \\")]
    [InlineData("a or b c", "(line Contains a | (line Contains b & line Contains c))")]
    [InlineData("(a OR b) AND not c", "((line Contains a | line Contains b) & !line Contains c)")]
    [InlineData("not not a", "line Contains a")]
    [InlineData("orange android", "(line Contains orange & line Contains android)")]
    [InlineData("/log(in|out)/", "line Matches log(in|out)")]
    [InlineData("/login", "line Contains /login")]
    [InlineData("/api/v1/", "line Contains /api/v1/")]
    [InlineData("err*", "line Like *err**")]
    [InlineData("08:30:00", "line Contains 08:30:00")]
    [InlineData("status:500", "status Equal 500")]
    [InlineData("status >= 500", "status GreaterOrEqual 500")]
    [InlineData("status:>=500", "status GreaterOrEqual 500")]
    [InlineData("status!=404", "!status Equal 404")]
    [InlineData("status:500..599", "(status GreaterOrEqual 500 & status LessOrEqual 599)")]
    [InlineData("status:500..", "status GreaterOrEqual 500")]
    [InlineData("status:[500 TO 599]", "(status GreaterOrEqual 500 & status LessOrEqual 599)")]
    [InlineData("status:(404 or 500)", "(status Equal 404 | status Equal 500)")]
    [InlineData("status:*", "status?")]
    [InlineData("path:/a/../b", "path Equals /a/../b")]
    [InlineData("path:/api/*", "path Like /api/*")]
    [InlineData("path:\"/a*\"", "path Equals /a*")]
    [InlineData("path~/login", "path Contains /login")]
    [InlineData("path!~health", "!path Contains health")]
    [InlineData("path=~/^.api/", "path Matches ^.api")]
    [InlineData("http_user_agent:(curl* or \"a b\")", "(http_user_agent Like curl* | http_user_agent Equals a b)")]
    [InlineData("http_user_agent~Mozilla/5.0(X11)", "http_user_agent Contains Mozilla/5.0(X11)")]
    [InlineData("line:word", "line Contains word")]
    [InlineData("parsed:false", "parsed Equal False")]
    [InlineData("time:15m", "time GreaterOrEqual 21T11:45")]
    [InlineData("time>=now-2h", "time GreaterOrEqual 21T10:00")]
    [InlineData("time:today", "(time GreaterOrEqual 21T00:00 & time Less 22T00:00)")]
    [InlineData("time:2026-11-20", "(time GreaterOrEqual 20T00:00 & time Less 21T00:00)")]
    [InlineData("time<=2026-11-20T08", "time Less 20T09:00")]
    [InlineData("time>2026-11-20T08:30", "time GreaterOrEqual 20T08:31")]
    [InlineData("time:2026-11-20T08+01:00..1h", "(time GreaterOrEqual 20T07:00 & time LessOrEqual 21T11:00)")]
    public void A_query_means(string query, string shape) => Assert.Equal(shape, Shape(query));

    [Theory]
    [InlineData("staus>=500", 0, "did you mean status?")]
    [InlineData("GET foo:bar", 4, "put it in double quotes")]
    [InlineData("status>=high", 8, "`high` is none")]
    [InlineData("status:5xx", 7, "status~5xx")]
    [InlineData("time:fortnight", 5, "15m")]
    [InlineData("(a or b", 0, "closing parenthesis")]
    [InlineData("a)", 1, "closes none")]
    [InlineData("a and", 5, "missing")]
    [InlineData("or b", 0, "double quotes")]
    [InlineData("\"a", 0, "closing quote")]
    [InlineData("path:", 5, "a value is missing")]
    [InlineData("/a(/", 1, "regular expression")]
    [InlineData("/(?=a)b/", 1, "run away")]
    [InlineData("time~08", 4, "no text")]
    [InlineData("parsed>true", 7, "parsed:false")]
    [InlineData("status:[1 and 2]", 7, "status:from..to")]
    public void A_fault_is_shown_where_it_is_with_a_proposal(string query, int at, string proposal)
    {
        QuerySyntaxException fault = Assert.Throws<QuerySyntaxException>(() => Shape(query));
        Assert.Equal(at, fault.At);
        Assert.Contains(proposal, fault.Message, StringComparison.Ordinal);
        string[] shown = fault.Message.Split(Environment.NewLine)[^2..];
        Assert.Equal($"  {query}", shown[0]);
        Assert.Equal(2 + at, shown[1].IndexOf('^', StringComparison.Ordinal));
    }

    [Fact]
    public void Deep_nesting_is_refused_and_does_not_overflow()
        => Assert.Throws<QuerySyntaxException>(() => Shape(new string('(', 100_000) + "a"));

    [Fact]
    public void Any_text_is_a_query_or_a_fault_within_it()
    {
        const string alphabet = "ab 01:=<>!~()\"/\\*.[]-@'%or and not status time path";
        var random = new Random(11);
        for (int i = 0; i < 20_000; i++)
        {
            string query = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => random.Next(4) == 0 ? random.GetItems(["status", "time:", " or ", " not ", "path=~"], 1)[0] : $"{alphabet[random.Next(alphabet.Length)]}"));
            try
            {
                Shape(query);
            }
            catch (QuerySyntaxException fault)
            {
                Assert.InRange(fault.At, 0, query.Length);
            }
        }
    }
}
