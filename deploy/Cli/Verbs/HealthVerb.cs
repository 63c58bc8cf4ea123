using System.CommandLine;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe health</c>: what the process that runs with a configuration says of its parts.</summary>
internal static class HealthVerb
{
    private static readonly Option<string?> Config = SharedOptions.Config();
    private static readonly Option<string?> Admin = SharedOptions.Admin();

    public static Command Create()
    {
        var verb = new Verb("health", "Ask the process that runs with this configuration how it is; exit status 1 when a part is not well, or nobody answers.",
            "logpipe health",
            "logpipe health --admin 127.0.0.1:9600") { Admin, Config };
        verb.Does((parsed, _) => SharedOptions.AdminOf(parsed, Admin, Config).PrintHealthAsync());
        return verb;
    }
}
