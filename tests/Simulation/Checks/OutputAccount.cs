using System.Globalization;
using LogPipeline.Simulation.Parts;
using LogPipeline.Simulation.Workload;
using LogPipeline.Sinks.Verification;

namespace LogPipeline.Simulation.Checks;

/// <summary>Holds what a sink wrote into files against the lines that were written, and asks <c>verify</c> too.</summary>
internal sealed class OutputAccount(Story story, OutputHost host)
{
    public const string Once = "a line is in the files once";
    public const string There = "a line is in the files";
    public const string LeftOut = "a line that the filter leaves out is in no file";
    public const string Verifies = "verify finds nothing in the files";

    private static readonly TimeSpan VerifyMax = TimeSpan.FromMinutes(5);

    /// <summary>Of a raw file nobody can tell which lines a record that is a part of a line belongs to.</summary>
    private bool TellsParts => host.Options.Files!.Format != "raw";

    /// <summary>Lost rows are findings; and where the topic is not what it was, verify cannot always tell which records rows are of.</summary>
    private bool MayFind => host.HasLostStaged || story.TailLost || story.Deletion.Happened || story.Removals.Happened;

    public void Check()
    {
        (List<OutputRow> certain, List<OutputRow> possible) = host.Rows();
        Dictionary<int, int> least = Count(certain);
        Dictionary<int, int> most = Count(certain.Concat(possible));
        foreach (Line line in story.Lines)
        {
            int count = least.GetValueOrDefault(line.Id);
            if (count > line.Most)
            {
                story.World.Fail(Once, string.Create(CultureInfo.InvariantCulture, $"line {line.Id} is there {count} times: {Places(certain, line)}; {line.Story}"));
                return;
            }
            if (host.Filter.MustLack(line) && most.GetValueOrDefault(line.Id) > 0)
            {
                story.World.Fail(LeftOut, string.Create(CultureInfo.InvariantCulture, $"line {line.Id} is there; {line.Story}"));
                return;
            }
            bool isWhole = line.Bytes.Length <= AgentPart.LineBytesMax / 2;
            if (most.GetValueOrDefault(line.Id) < line.Least && (TellsParts || isWhole) && !host.Filter.MayLack(line))
            {
                story.World.Fail(There, string.Create(CultureInfo.InvariantCulture, $"line {line.Id} of {line.Bytes.Length} bytes is missing; {line.Story}"));
                return;
            }
        }
        Verify();
    }

    private static string Places(List<OutputRow> rows, Line line) => string.Join(", then ", rows.Where(row => Line.IdAtStartOf(row.Value) == line.Id)
        .Select(static row => string.Create(CultureInfo.InvariantCulture, $"{row.File} ({row.Host} generation {row.Generation} at byte {row.LineBegin})")));

    private void Verify()
    {
        var verify = new VerifyPart(host, story.Network);
        verify.Part.Ended = (part, reason) =>
        {
            if (reason is not null)
            {
                story.World.Fail("no part ends by itself", $"{part.Name}: {reason}");
            }
        };
        verify.Part.Start();
        if (!story.World.Run(story.World.Now + VerifyMax, () => verify.IsDone))
        {
            if (story.World.Failure is null)
            {
                story.World.Fail(Verifies, "it does not end");
            }
            return;
        }
        if (verify.Report?.Findings is [Finding first, ..] && !MayFind)
        {
            story.World.Fail(Verifies, $"{verify.Report!.Findings.Count}, the first: {first.Side}: {first.Text}; notes: {string.Join("; ", verify.Report.Notes)}");
        }
    }

    private Dictionary<int, int> Count(IEnumerable<OutputRow> rows) => TellsParts
        ? Delivery.CountJoined(rows.GroupBy(static row => (row.Host, row.Generation, row.LineBegin)).Select(static parts => parts.Select(static row => (row.Part, row.Value))))
        : Delivery.CountJoined([rows.Select(static row => (row.Part, row.Value))]);
}
