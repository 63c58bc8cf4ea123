using System.Globalization;
using LogPipeline.Agent.Status;
using LogPipeline.Contract.Reports;

namespace LogPipeline.Agent.Inspection;

/// <summary>An agent's report as a table that fits a screen: one line a file, those that are most behind first. Wide screens show whole paths and reasons.</summary>
public static class StatusTable
{
    private const int Wide = 120;
    private const int LagWidth = 7;
    private const int BehindWidth = 6;
    private const int RateWidth = 8;
    private const string Gap = "  ";

    /// <param name="report">What is shown.</param>
    /// <param name="isRunning">Whether it comes from an agent that runs; else from its state directory.</param>
    /// <param name="width">Columns of the screen, 80 at least.</param>
    /// <param name="rowsMax">The most lines for files.</param>
    public static IEnumerable<string> Show(AgentReport report, bool isRunning, int width, int rowsMax)
    {
        ArgumentNullException.ThrowIfNull(report);
        width = Math.Max(80, width);
        string agent = $"agent {report.AgentId} on {report.Host}";
        yield return Cut(isRunning
            ? $"{agent}: {report.FilesFollowed} file{(report.FilesFollowed == 1 ? "" : "s")}, {ByteCount.Show(report.LagBytes)} behind, {ByteCount.Show((long)report.Rate)}/s"
            : $"{agent}: does not answer; this is what {report.StateDirectory} says", width);
        foreach (string problem in report.Problems)
        {
            yield return Cut($"! {problem}", width);
        }
        if (report.Files.Count == 0)
        {
            yield return "no files";
            yield break;
        }
        List<string[]> rows = [.. report.Files.Take(rowsMax).Select(Cells)];
        rows.Insert(0, ["FILE", "TOPIC", "LAG", "BEHIND", "RATE", "STATE"]);
        int topic = Math.Min(width < Wide ? 10 : 24, rows.Max(static row => row[1].Length));
        int rest = width - topic - LagWidth - BehindWidth - RateWidth - (5 * Gap.Length);
        int path = Math.Min(rows.Max(static row => row[0].Length), rest - Math.Min(rows.Max(static row => row[5].Length), rest / 3));
        foreach (string[] row in rows)
        {
            string line = string.Join(Gap, ShortPath(row[0], path).PadRight(path), Cut(row[1], topic).PadRight(topic),
                row[2].PadLeft(LagWidth), row[3].PadLeft(BehindWidth), row[4].PadLeft(RateWidth), row[5]);
            yield return Cut(line, width).TrimEnd();
        }
        if (report.Files.Count > rowsMax)
        {
            yield return $"and {report.Files.Count - rowsMax} more";
        }
    }

    private static string[] Cells(FileReport file) =>
    [
        file.Source ?? file.Path,
        file.Topic,
        ByteCount.Show(file.LagBytes),
        file.LagSeconds > 0 ? ShortTime.Brief(TimeSpan.FromSeconds(file.LagSeconds)) : "-",
        file.Rate > 0 ? $"{ByteCount.Show((long)file.Rate)}/s" : "-",
        file.Reason is null ? file.State : string.Create(CultureInfo.InvariantCulture, $"{file.State}: {file.Reason}"),
    ];

    /// <summary>The end of a path tells more than its middle.</summary>
    private static string ShortPath(string path, int width) => path.Length <= width ? path : $"…{path[^(width - 1)..]}";

    private static string Cut(string text, int width) => text.Length <= width ? text : $"{text[..(width - 1)]}…";
}
