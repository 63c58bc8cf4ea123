using System.Globalization;
using LogPipeline.Agent.Framing;
using LogPipeline.Files;
using LogPipeline.Hosting.Configuration;
using Microsoft.Extensions.Logging;

namespace LogPipeline.AgentProgram;

internal enum AgentVerb
{
    Run,
    Check,
    Explain,
    Status,
    Plan,
    Health,
    Resend,
    Help,
    Version,
}

/// <summary>The command line of <c>logpipe-agent</c>: few words, so read by hand; the agent carries no library for it.</summary>
internal sealed record AgentArguments
{
    private static readonly string[] Words = ["run", "config", "explain", "status", "plan", "health", "resend"];

    private static readonly string[] Options = ["--config", "--admin", "--log-level", "--json", "--watch", "--all", "--rate", "--from", "--to", "--dry-run", "--stdin", "--topic", "--encoding", "--bootstrap", "--state", "--help", "--version"];

    public AgentVerb Verb { get; private init; }

    public string? Config { get; private init; }

    public string? Admin { get; private init; }

    public LogLevel LogLevel { get; private init; } = LogLevel.Information;

    /// <summary>What is explained, or sent again.</summary>
    public string Path { get; private init; } = "";

    public bool IsJson { get; private init; }

    public bool IsWatching { get; private init; }

    public bool ShowsAll { get; private init; }

    /// <summary>Bytes a second that a plan counts with; null = measured.</summary>
    public long? Rate { get; private init; }

    /// <summary>A byte of the first line that is sent again; null = the first that was read.</summary>
    public long? From { get; private init; }

    /// <summary>One past a byte of the last line that is sent again; null = all that is acked.</summary>
    public long? To { get; private init; }

    /// <summary>Whether it is only told what would be sent again.</summary>
    public bool IsDry { get; private init; }

    /// <summary>Whether the standard input is published, and no file.</summary>
    public bool IsStdin { get; private init; }

    /// <summary>Where the lines of the standard input go.</summary>
    public string? Topic { get; private init; }

    /// <summary>How the standard input is to be understood.</summary>
    public TextEncoding Encoding { get; private init; } = TextEncoding.Auto;

    public string? Bootstrap { get; private init; }

    public string? State { get; private init; }

    /// <exception cref="ConfigurationException">A word is unknown, a value is missing, or an option does not go with the verb.</exception>
    public static AgentArguments Parse(ReadOnlySpan<string> args)
    {
        var parsed = new AgentArguments();
        string? word = null;
        List<(string Name, AgentVerb Verb)> bound = [];
        for (int i = 0; i < args.Length; i++)
        {
            (string name, string? given) = args[i].Split('=', 2) is [var option, var text] && option.StartsWith("--", StringComparison.Ordinal) ? (option, text) : (args[i], null);
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
                case "--json" or "--watch":
                    parsed = name == "--json" ? parsed with { IsJson = true } : parsed with { IsWatching = true };
                    bound.Add((name, AgentVerb.Status));
                    break;
                case "--all":
                    parsed = parsed with { ShowsAll = true };
                    bound.Add((name, AgentVerb.Plan));
                    break;
                case "--rate":
                    parsed = parsed with { Rate = BytesOf(given ?? Next(args, ref i)) };
                    bound.Add((name, AgentVerb.Plan));
                    break;
                case "--from" or "--to":
                    long at = PositionOf(name, given ?? Next(args, ref i));
                    parsed = name == "--from" ? parsed with { From = at } : parsed with { To = at };
                    bound.Add((name, AgentVerb.Resend));
                    break;
                case "--dry-run":
                    parsed = parsed with { IsDry = true };
                    bound.Add((name, AgentVerb.Resend));
                    break;
                case "--stdin":
                    parsed = parsed with { IsStdin = true };
                    bound.Add((name, AgentVerb.Run));
                    break;
                case "--topic":
                    parsed = parsed with { Topic = given ?? Next(args, ref i) };
                    break;
                case "--encoding":
                    parsed = parsed with { Encoding = EncodingOf(given ?? Next(args, ref i)) };
                    break;
                case "--bootstrap":
                    parsed = parsed with { Bootstrap = given ?? Next(args, ref i) };
                    break;
                case "--state":
                    parsed = parsed with { State = given ?? Next(args, ref i) };
                    break;
                case "explain" or "resend" when word is null:
                    word = name;
                    parsed = parsed with { Verb = name == "explain" ? AgentVerb.Explain : AgentVerb.Resend, Path = i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal) ? args[++i] : "" };
                    break;
                case "config" when word is null && i + 1 < args.Length && args[i + 1] == "check":
                    i++;
                    word = name;
                    parsed = parsed with { Verb = AgentVerb.Check };
                    break;
                case "run" or "status" or "plan" or "health" when word is null:
                    word = name;
                    parsed = parsed with { Verb = name switch { "status" => AgentVerb.Status, "plan" => AgentVerb.Plan, "health" => AgentVerb.Health, _ => AgentVerb.Run } };
                    break;
                default:
                    throw Unknown(name);
            }
        }
        if (parsed.Verb is AgentVerb.Explain or AgentVerb.Resend && parsed.Path.Length == 0)
        {
            throw new ConfigurationException($"{word} needs a path, such as: logpipe-agent {word} /var/log/nginx/access.log");
        }
        if (parsed.From >= parsed.To)
        {
            throw new ConfigurationException($"--from {parsed.From} is not below --to {parsed.To}");
        }
        if (parsed.IsStdin ? parsed.Topic is null : (parsed.Topic ?? parsed.Bootstrap ?? parsed.State) is not null || parsed.Encoding != TextEncoding.Auto)
        {
            throw new ConfigurationException("--stdin goes with --topic NAME, and perhaps --encoding, --bootstrap and --state, as in: app | logpipe-agent --stdin --topic app");
        }
        foreach ((string name, AgentVerb verb) in bound)
        {
            if (verb != parsed.Verb)
            {
                throw new ConfigurationException($"{name} goes with {verb.ToString().ToLowerInvariant()} only; --help shows what there is");
            }
        }
        return parsed;
    }

    private static ConfigurationException Unknown(string name)
    {
        string advice = NearestName.Find(name, name.StartsWith('-') ? Options : Words) is { } near ? $"did you mean '{near}'?" : "--help shows what there is";
        return new ConfigurationException($"unknown argument '{name}'; {advice}");
    }

    private static string Next(ReadOnlySpan<string> args, ref int i)
        => ++i < args.Length ? args[i] : throw new ConfigurationException($"{args[i - 1]} needs a value; --help shows which");

    private static LogLevel Level(string text)
        => Enum.TryParse<LogLevel>(text, ignoreCase: true, out LogLevel level) && Enum.IsDefined(level)
            ? level
            : throw new ConfigurationException($"--log-level {text}: write debug, information, warning, error or none");

    private static TextEncoding EncodingOf(string text)
    {
        List<string> names = [];
        foreach ((string name, TextEncoding encoding) in EncodingNames.All)
        {
            if (string.Equals(name, text, StringComparison.OrdinalIgnoreCase))
            {
                return encoding;
            }
            names.Add(name);
        }
        throw new ConfigurationException($"--encoding {text}: write one of {string.Join(", ", names)}");
    }

    private static long PositionOf(string name, string text)
        => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long position)
            ? position
            : throw new ConfigurationException($"{name} {text}: write a byte of the file, counted from 0");

    private static long BytesOf(string text)
        => Quantity.TryParseSize(text, out long bytes) && bytes > 0
            ? bytes
            : throw new ConfigurationException($"--rate {text}: write bytes a second, such as 10MB");
}
