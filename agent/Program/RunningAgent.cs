using System.Globalization;
using LogPipeline.Agent;
using LogPipeline.Agent.Status;
using LogPipeline.Contract.Reports;
using LogPipeline.Hosting.Admin;

namespace LogPipeline.AgentProgram;

/// <summary>The agent that runs with a configuration, asked over its admin address.</summary>
internal sealed class RunningAgent(string? adminListen, AgentOptions options)
{
    private readonly AdminAddress _admin = new(adminListen);

    /// <summary>Why the last question had no answer.</summary>
    public string Silence { get; private set; } = "";

    /// <summary>Returns the agent's report; null when none answers there that has the same state directory.</summary>
    /// <param name="path">Only files with this path; null = all.</param>
    /// <param name="filesMax">The most files that are told.</param>
    public async Task<AgentReport?> AskAsync(string? path, int filesMax)
    {
        if (_admin.Endpoint is null)
        {
            Silence = "the configuration has no admin.listen, by which a running agent could be asked";
            return null;
        }
        string query = string.Create(CultureInfo.InvariantCulture, $"?limit={filesMax}") + (path is null ? "" : $"&path={Uri.EscapeDataString(path)}");
        if (await _admin.GetAsync(StatusPage.Path + query) is not (int status, byte[] body))
        {
            Silence = $"no agent answers at {_admin.Endpoint}";
            return null;
        }
        AgentReport? report = status == 200 ? ReportJson.TryRead(body) : null;
        Silence = report is null ? $"what answers at {_admin.Endpoint} is no agent of this version, or it does not run now"
            : report.StateDirectory != options.StateDirectory ? $"the agent at {_admin.Endpoint} has another state directory, {report.StateDirectory}" : "";
        return Silence.Length == 0 ? report : null;
    }
}
