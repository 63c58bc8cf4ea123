using System.Text;
using LogPipeline.Hosting.Admin;

namespace LogPipeline.Cli.Status;

/// <summary>What a process says of itself at one moment.</summary>
/// <param name="At">When it was asked.</param>
/// <param name="IsWell">Whether all its parts are well.</param>
/// <param name="Parts">Each part, and what it says: <c>ok</c>, what is wrong, or that somebody paused it.</param>
/// <param name="Samples">Its metrics.</param>
internal sealed record NodeSnapshot(DateTimeOffset At, bool IsWell, IReadOnlyList<(string Part, string State)> Parts, IReadOnlyList<MetricSample> Samples)
{
    /// <summary>Null when nobody answers.</summary>
    public static async Task<NodeSnapshot?> TakeAsync(AdminAddress admin, TimeProvider time)
    {
        if (await admin.GetAsync("/healthz") is not (int status, byte[] health) || await admin.GetAsync("/metrics") is not (200, byte[] metrics))
        {
            return null;
        }
        return new NodeSnapshot(time.GetUtcNow(), status == 200, PartsOf(Encoding.UTF8.GetString(health)), MetricSample.Parse(Encoding.UTF8.GetString(metrics)));
    }

    /// <summary>The samples of a metric.</summary>
    public IEnumerable<MetricSample> Of(string name) => Samples.Where(sample => sample.Name == name);

    /// <summary>Whether the process has a metric: it has those of the parts that run in it.</summary>
    public bool Has(string name) => Of(name).Any();

    /// <summary>The sum of a metric over its labels, or over those of one sink.</summary>
    public double Sum(string name, string? sink = null) => Of(name).Where(sample => sink is null || sample["sink"] == sink).Sum(static sample => sample.Value);

    /// <summary>How fast a counter grew since an earlier snapshot, in a second. A counter that is less than it was began anew.</summary>
    public double Rate(string name, NodeSnapshot earlier, string? sink = null)
    {
        double seconds = (At - earlier.At).TotalSeconds;
        return seconds <= 0 ? 0 : Math.Max(0, Sum(name, sink) - earlier.Sum(name, sink)) / seconds;
    }

    private static List<(string Part, string State)> PartsOf(string health)
    {
        List<(string, string)> parts = [];
        foreach (string line in health.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int colon = line.IndexOf(": ", StringComparison.Ordinal);
            parts.Add(colon < 0 ? ("process", line) : (line[..colon], line[(colon + 2)..]));
        }
        return parts;
    }
}
