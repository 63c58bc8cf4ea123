using System.Globalization;
using System.Net;
using LogPipeline.Agent;
using LogPipeline.Agent.Status;
using LogPipeline.Contract.Reports;

namespace LogPipeline.AgentProgram;

/// <summary>The agent that runs with a configuration, asked over its admin address.</summary>
internal sealed class RunningAgent(string? adminListen, AgentOptions options)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Why the last question had no answer.</summary>
    public string Silence { get; private set; } = "";

    /// <summary>Returns the agent's report; null when none answers there that has the same state directory.</summary>
    /// <param name="path">Only files with this path; null = all.</param>
    /// <param name="filesMax">The most files that are told.</param>
    public async Task<AgentReport?> AskAsync(string? path, int filesMax)
    {
        if (adminListen is null || !IPEndPoint.TryParse(adminListen.Replace("localhost", "127.0.0.1", StringComparison.Ordinal), out IPEndPoint? endpoint) || endpoint.Port == 0)
        {
            Silence = "the configuration has no admin.listen, by which a running agent could be asked";
            return null;
        }
        if (endpoint.Address.Equals(IPAddress.Any) || endpoint.Address.Equals(IPAddress.IPv6Any))
        {
            endpoint = new IPEndPoint(IPAddress.Loopback, endpoint.Port);
        }
        string query = string.Create(CultureInfo.InvariantCulture, $"?limit={filesMax}") + (path is null ? "" : $"&path={Uri.EscapeDataString(path)}");
        try
        {
            using var client = new HttpClient { Timeout = Patience };
            using HttpResponseMessage answer = await client.GetAsync(new Uri($"http://{endpoint}{StatusPage.Path}{query}"));
            byte[] body = await answer.Content.ReadAsByteArrayAsync();
            AgentReport? report = answer.IsSuccessStatusCode ? ReportJson.TryRead(body) : null;
            Silence = report is null ? $"what answers at {endpoint} is no agent of this version, or it does not run now"
                : report.StateDirectory != options.StateDirectory ? $"the agent at {endpoint} has another state directory, {report.StateDirectory}" : "";
            return Silence.Length == 0 ? report : null;
        }
        catch (Exception silent) when (silent is HttpRequestException or OperationCanceledException)
        {
            Silence = $"no agent answers at {endpoint}";
            return null;
        }
    }
}
