using System.CommandLine;
using LogPipeline.Hosting.Admin;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Hosting.Telemetry;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe health</c>: what the process that runs with a configuration says of its parts.</summary>
internal static class HealthVerb
{
    private static readonly Option<string?> Config = SharedOptions.Config();

    private static readonly Option<string?> Admin = new("--admin")
    {
        Description = "Where it is asked; without it the configuration's admin.listen",
        HelpName = "HOST:PORT",
    };

    public static Command Create()
    {
        var verb = new Verb("health", "Ask the process that runs with this configuration how it is; exit status 1 when a part is not well, or nobody answers.",
            "logpipe health",
            "logpipe health --admin 127.0.0.1:9600") { Admin, Config };
        // Not more of the file than the address: a process goes on with the configuration that it began with when the file is wrong by now.
        verb.Does((parsed, _) => new AdminAddress(
            parsed.GetValue(Admin) ?? TelemetrySection.Read(ConfigurationFile.Load(parsed.GetValue(Config))).AdminListen).PrintHealthAsync());
        return verb;
    }
}
