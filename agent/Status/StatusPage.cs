using System.Globalization;
using System.Text;
using LogPipeline.Contract.Reports;
using LogPipeline.Hosting.Admin;

namespace LogPipeline.Agent.Status;

/// <summary>
/// <c>GET /files</c>: the agent's report as JSON, with <c>?path=PATH</c> that file alone, with <c>?limit=N</c> the N that are most behind. It
/// names files of this machine, so it answers clients on this machine only.
/// </summary>
public static class StatusPage
{
    public const string Path = "/files";

    public static async ValueTask<AdminResponse?> AnswerAsync(AdminRequest request, AgentStatus status)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(status);
        if (request.Path != Path)
        {
            return null;
        }
        if (!request.IsLocal)
        {
            return new AdminResponse(403, "text/plain; charset=utf-8", "only for clients on this machine\n");
        }
        int filesMax = request.Query.TryGetValue("limit", out string? limit) && int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out int most)
            ? most : int.MaxValue;
        AgentReport? report = await status.ReportAsync(request.Query.GetValueOrDefault("path"), filesMax);
        return report is null
            ? new AdminResponse(503, "text/plain; charset=utf-8", "the agent does not run now\n")
            : new AdminResponse(200, "application/json", Encoding.UTF8.GetString(ReportJson.Write(report)));
    }
}
