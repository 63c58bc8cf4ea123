using System.CommandLine;
using LogPipeline.Hosting.Admin;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Hosting.Telemetry;

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

    public static Option<string?> Admin() => new("--admin")
    {
        Description = "Where it is asked; without it the configuration's admin.listen",
        HelpName = "HOST:PORT",
    };

    /// <summary>
    /// Where a running process is asked. Not more of the file is read than the address: a process goes on with the configuration that it began with
    /// when the file is wrong by now.
    /// </summary>
    public static AdminAddress AdminOf(ParseResult parsed, Option<string?> admin, Option<string?> config) =>
        new(parsed.GetValue(admin) ?? TelemetrySection.Read(ConfigurationFile.Load(parsed.GetValue(config))).AdminListen);

    /// <summary>Reads an option that says how long; 0 is allowed.</summary>
    /// <param name="examples">Such as <c>30s or 10m</c>.</param>
    /// <param name="zero">What 0 means.</param>
    /// <exception cref="ConfigurationException">The text is no time.</exception>
    public static TimeSpan DurationOf(ParseResult parsed, Option<string> option, string examples, string zero)
    {
        string text = parsed.GetValue(option)!;
        return text == "0" ? TimeSpan.Zero : Quantity.TryParseDuration(text, out TimeSpan duration) ? duration
            : throw new ConfigurationException($"{option.Name} {text}: write how long, such as {examples}; 0 = {zero}");
    }

    /// <summary>Who types the command, as it is noted beside what is asked for.</summary>
    public static string Person => $"{Environment.UserName}@{Environment.MachineName}";

    public static Option<string?> Sink() => new("--sink", "-s")
    {
        Description = "Which sink's rows; without it the only one, or the first with a database",
        HelpName = "NAME",
    };
}
