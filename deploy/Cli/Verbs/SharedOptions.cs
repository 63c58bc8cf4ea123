using System.CommandLine;

namespace LogPipeline.Cli.Verbs;

/// <summary>Options that mean the same for every verb that has them.</summary>
internal static class SharedOptions
{
    public static Option<string?> Config() => new("--config", "-c")
    {
        Description = "The configuration file; without it ./logpipe.yaml, ./data/logpipe.yaml or /etc/logpipe/logpipe.yaml",
        HelpName = "FILE",
    };

    public static Option<string?> Bootstrap() => new("--bootstrap", "-b")
    {
        Description = "Brokers to ask first; without it the configuration's, else 127.0.0.1:9092",
        HelpName = "HOST:PORT",
    };

    public static Option<string?> Sink() => new("--sink", "-s")
    {
        Description = "Which sink's rows; without it the only one, or the first with a database",
        HelpName = "NAME",
    };
}
