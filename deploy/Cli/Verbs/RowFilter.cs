using System.CommandLine;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Verbs;

/// <summary>The options that say which rows: shared by <c>query</c> and <c>tail</c>.</summary>
internal sealed class RowFilter
{
    private readonly Argument<string[]> _comparisons = new("COMPARISON")
    {
        Description = "Column, sign, value: status>=500, path~/api, method!=GET (signs = != < <= > >= ~ !~); all must hold",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<string[]> _where = new("--where", "-w") { Description = "A comparison too; may be repeated", HelpName = "COMPARISON" };
    private readonly Option<string[]> _text = new("--text", "-t") { Description = "The line contains this; may be repeated", HelpName = "TEXT" };

    public void AddTo(Command verb)
    {
        verb.Arguments.Add(_comparisons);
        verb.Options.Add(_where);
        verb.Options.Add(_text);
    }

    public LogQuery Read(ParseResult parsed) => new()
    {
        Where = [.. (parsed.GetValue(_comparisons) ?? []).Concat(parsed.GetValue(_where) ?? []).Select(ColumnComparison.Parse)],
        Contains = parsed.GetValue(_text) ?? [],
    };
}
