using LogPipeline.Files;
using LogPipeline.Hosting.Configuration;
using Microsoft.Extensions.Logging;

namespace LogPipeline.AgentProgram;

internal enum AgentVerb
{
    Run,
    Check,
    Help,
    Version,
}

/// <summary>The command line of <c>logpipe-agent</c>: few words, so read by hand; the agent carries no library for it.</summary>
internal sealed record AgentArguments(AgentVerb Verb, string? Config, string? Admin, LogLevel LogLevel)
{
    private static readonly string[] Known = ["--config", "--admin", "--log-level", "--help", "--version", "config", "check"];

    /// <exception cref="ConfigurationException">A word is unknown, or a value is missing.</exception>
    public static AgentArguments Parse(ReadOnlySpan<string> args)
    {
        var parsed = new AgentArguments(AgentVerb.Run, null, null, LogLevel.Information);
        for (int i = 0; i < args.Length; i++)
        {
            (string? name, string? given) = args[i].Split('=', 2) is [var option, var text] && option.StartsWith("--", StringComparison.Ordinal) ? (option, text) : (args[i], null);
            switch (name)
            {
                case "--help" or "-h" or "-?":
                    return parsed with { Verb = AgentVerb.Help };
                case "--version":
                    return parsed with { Verb = AgentVerb.Version };
                case "--config" or "-c":
                    parsed = parsed with { Config = given ?? Next(args, ref i) };
                    break;
                case "--admin":
                    parsed = parsed with { Admin = given ?? Next(args, ref i) };
                    break;
                case "--log-level":
                    parsed = parsed with { LogLevel = Level(given ?? Next(args, ref i)) };
                    break;
                case "config" when i + 1 < args.Length && args[i + 1] == "check":
                    parsed = parsed with { Verb = AgentVerb.Check };
                    i++;
                    break;
                default:
                    string advice = NearestName.Find(name, Known) is { } near ? $"did you mean '{near}'?" : "--help shows what there is";
                    throw new ConfigurationException($"unknown argument '{name}'; {advice}");
            }
        }
        return parsed;
    }

    private static string Next(ReadOnlySpan<string> args, ref int i)
        => ++i < args.Length ? args[i] : throw new ConfigurationException($"{args[i - 1]} needs a value; --help shows which");

    private static LogLevel Level(string text)
        => Enum.TryParse<LogLevel>(text, ignoreCase: true, out LogLevel level) && Enum.IsDefined(level)
            ? level
            : throw new ConfigurationException($"--log-level {text}: write debug, information, warning, error or none");
}
