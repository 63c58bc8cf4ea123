using System.CommandLine;

namespace LogPipeline.Cli.Tests;

public class CommandLineTests
{
    [Fact]
    public void Every_verb_says_what_it_does_and_shows_an_example_that_parses()
    {
        RootCommand root = CommandTree.Build();
        foreach (Verb verb in Verbs(root))
        {
            Assert.NotEmpty(verb.Description!);
            Assert.NotEmpty(verb.Examples);
            Assert.Empty(root.Parse([.. PathOf(verb), "--help"]).Errors);
            foreach (string? example in verb.Examples.SelectMany(Calls))
            {
                Assert.Empty(root.Parse(example).Errors);
            }
        }
    }

    [Theory]
    [InlineData("querry --since 1h 'status:500'", "unknown verb 'querry'; did you mean 'query'?")]
    [InlineData("run --config logpipe.yaml", "unknown verb 'run'")]
    [InlineData("topics creat web_log --partitions 3", "unknown verb 'creat'; did you mean 'create'?")]
    [InlineData("--confg logpipe.yaml query", "unknown option '--confg'; did you mean '--config'?")]
    [InlineData("query --sinse 1h", "unknown option '--sinse'; did you mean '--since'?")]
    [InlineData("tail --limit x", "argument 'x' for option '--limit': write a whole number")]
    [InlineData("topics create web_log --partitions x", "argument 'x' for option '--partitions': write a whole number")]
    public void What_is_wrong_is_the_first_word_that_is_unknown(string line, string fault) =>
        Assert.EndsWith(fault, Assert.Single(CommandTree.FaultsOf(CommandTree.Build().Parse(line))), StringComparison.Ordinal);

    // The part of a shell line that logpipe sees: without what stands before it, after a pipe, or in a redirection.
    private static IEnumerable<string> Calls(string example)
        => example.Split('|').Where(part => part.Contains("logpipe ", StringComparison.Ordinal))
            .Select(part => part[(part.IndexOf("logpipe ", StringComparison.Ordinal) + 8)..].Split(" > ")[0].Split(" < ")[0].Replace('\'', '"'));

    private static IEnumerable<string> PathOf(System.CommandLine.Command verb)
        => verb.Parents.OfType<System.CommandLine.Command>().FirstOrDefault() is { } parent and not RootCommand ? PathOf(parent).Append(verb.Name) : [verb.Name];

    private static IEnumerable<Verb> Verbs(System.CommandLine.Command command)
        => command.Subcommands.OfType<Verb>().SelectMany(verb => Verbs(verb).Prepend(verb));
}
