namespace LogPipeline.Sinks.Tests.Query;

/// <summary>Queries and rows by a seed, from words that stand in both and that are awkward for SQL, patterns and the grammar.</summary>
internal sealed class RandomQuery(int seed)
{
    private static readonly string[] Words =
        ["login", "LOGIN", "Api", "a%b", "a_b", "a*b", "x[1]", "it's", "semi;colon", "--dash", "$1", "@p0", "back\\slash", "tail\\", "or", "100%", "q?z", "{brace}"];

    private static readonly string[] Patterns = ["log.n", "^10\\.", "a[%_]b", "(Api|LOGIN)", "\\d{3}", "\\blogin\\b", "colon$"];

    private static readonly string[] TextFields = ["path", "method", "remote_addr", "http_user_agent", "remote_user", "http_referer", "line", "host"];

    private static readonly DateTimeOffset Start = new(2026, 11, 21, 8, 0, 0, TimeSpan.Zero);

    private readonly Random _random = new(seed);

    public static DateTimeOffset Now => Start.AddHours(3);

    public bool IgnoresCase => seed % 2 == 0;

    /// <summary>A line of an access log, or three words.</summary>
    public string Line()
    {
        if (_random.Next(5) == 0)
        {
            return $"{Word()} {Word()} {Word()}";
        }
        string method = One("GET", "POST", "get");
        string user = One("-", "alice", "bob");
        string referer = One("-", Word().Replace("\\", "", StringComparison.Ordinal));
        return $"10.0.0.{_random.Next(4)} - {user} [{Start.AddMinutes(_random.Next(180)):dd/MMM/yyyy:HH:mm:ss} +0000] \"{method} /{Word().Replace("\\", "", StringComparison.Ordinal)} HTTP/1.1\" "
            + $"{_random.Next(198, 206)} {_random.Next(20)} \"{referer}\" \"{Word().Replace("\\", "", StringComparison.Ordinal)} {Word().Replace("\\", "", StringComparison.Ordinal)}\"";
    }

    public string Query(int depth = 3)
    {
        string one = depth == 0 || _random.Next(3) == 0 ? Condition() : _random.Next(4) switch
        {
            0 => $"{Query(depth - 1)} and {Query(depth - 1)}",
            1 => $"({Query(depth - 1)} or {Query(depth - 1)})",
            2 => $"not ({Query(depth - 1)})",
            _ => $"{Query(depth - 1)} {Query(depth - 1)}",
        };
        return one;
    }

    private string Condition() => _random.Next(13) switch
    {
        0 => Quoted(Word()),
        1 => $"/{Pattern()}/",
        2 => $"{TextField()}:{Quoted(Word())}",
        3 => $"{TextField()}:{One("*", "1*", "*in", "/*", "*a*", "G*T", "*\\**")}",
        4 => $"{TextField()}{One("~", "!~")}{Quoted(Word())}",
        5 => $"{TextField()}=~{Quoted(Pattern())}",
        6 => $"{TextField()}{One(">", ">=", "<", "<=", "!=", "=")}{Quoted(Word())}",
        7 => $"status{One(":", "=", "!=", ">", ">=", "<", "<=", ":>=")}{_random.Next(198, 206)}",
        8 => $"body_bytes_sent:{_random.Next(10)}..{_random.Next(5, 20)}",
        9 => $"status:({_random.Next(198, 206)} or not {_random.Next(198, 206)})",
        10 => $"time{One(":", ">", ">=", "<", "<=")}{One("2h", "90m", "2026-11-21T09", "2026-11-21", "2026-11-21T08:30:00Z", "yesterday", "now")}",
        11 => $"{One("remote_addr", "host", "path")}{One(":", "!=")}{One("10.0.0.0/8", "10.0.0.2/31", "10.0.0.1/32", "fd00::/8")}",
        _ => One("parsed:true", "parsed:false", "status:*", "not remote_user:*", "time_local:2026-11-21T08..2026-11-21T09", "status~0", "partition:0"),
    };

    private string Word() => Words[_random.Next(Words.Length)];

    private string Pattern() => Patterns[_random.Next(Patterns.Length)];

    private string TextField() => TextFields[_random.Next(TextFields.Length)];

    private string One(params string[] choices) => choices[_random.Next(choices.Length)];

    private static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
