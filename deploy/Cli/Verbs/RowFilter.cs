using System.CommandLine;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Cli.Verbs;

/// <summary>The arguments and options that say which rows, in the query language; shared by <c>query</c> and <c>tail</c>.</summary>
internal sealed class RowFilter
{
    private readonly Argument<string[]> _query = new("QUERY")
    {
        Description = """
            word, "several words", /regular expression/; field:value, field:a*, field:*, field=value, !=, <, <=, >, >=, ~ (contains), !~, =~ (regular expression), field:from..to; fields.user.id:7 for what stands in JSON;
            and, or, not, parentheses. Times: time:15m, time>=2026-11-21T08:30, time:today
            """.ReplaceLineEndings(" "),
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<string[]> _where = new("--where", "-w") { Description = "A query too, which must hold as well; may be repeated", HelpName = "QUERY" };
    private readonly Option<string[]> _text = new("--text", "-t") { Description = "The line contains this, whatever signs are in it; may be repeated", HelpName = "TEXT" };
    private readonly Option<bool> _ignoreCase = new("--ignore-case", "-i") { Description = "Compare texts without regard to case" };

    public void AddTo(Command verb)
    {
        verb.Arguments.Add(_query);
        verb.Options.Add(_where);
        verb.Options.Add(_text);
        verb.Options.Add(_ignoreCase);
    }

    /// <summary>Says on standard error that a sink's name as the first word is looked for in the lines: it chooses no sink.</summary>
    public void WarnOfName(ParseResult parsed, IEnumerable<SinkOptions> sinks)
    {
        if (parsed.GetValue(_query)?.FirstOrDefault() is { } word && sinks.Any(sink => sink.Name == word))
        {
            Console.Error.WriteLine($"{word}: looked for in the lines; --sink {word} says which sink's rows are meant");
        }
    }

    /// <exception cref="QuerySyntaxException">A query is not one.</exception>
    public QueryNode? Read(ParseResult parsed, QueryFields fields, DateTimeOffset now)
    {
        bool ignoreCase = parsed.GetValue(_ignoreCase);
        QueryNode?[] all =
        [
            // The shell may have taken the query apart.
            QueryParser.Parse(string.Join(' ', parsed.GetValue(_query) ?? []), fields, now, ignoreCase),
            .. (parsed.GetValue(_where) ?? []).Select(query => QueryParser.Parse(query, fields, now, ignoreCase)),
            .. (parsed.GetValue(_text) ?? []).Select(text => QueryParser.Text(text, fields, ignoreCase)),
        ];
        List<QueryNode> nodes = [.. all.OfType<QueryNode>()];
        return nodes.Count switch { 0 => null, 1 => nodes[0], _ => new AllOf(nodes) };
    }
}
