using LogPipeline.Agent.Status;

namespace LogPipeline.Agent.Inspection;

/// <summary>A plan for a screen.</summary>
public static class PlanText
{
    private static readonly (PlannedStep Step, string Word)[] Steps =
        [(PlannedStep.Start, "start"), (PlannedStep.GoOn, "go on"), (PlannedStep.Stop, "stop"), (PlannedStep.LeaveOut, "leave out")];

    /// <param name="plan">The plan.</param>
    /// <param name="rate">Bytes a second at which the backlog would be read; null when that is not known.</param>
    /// <param name="rateSource">Where that comes from, such as "measured".</param>
    /// <param name="linesMax">The most files told for each step.</param>
    public static IEnumerable<string> Show(ReadingPlan plan, double? rate, string rateSource, int linesMax)
    {
        ArgumentNullException.ThrowIfNull(plan);
        foreach ((PlannedStep step, string word) in Steps)
        {
            List<PlannedFile> files = [.. plan.Files.Where(file => file.Step == step).OrderByDescending(static file => file.Left)];
            foreach (PlannedFile file in files.Take(linesMax))
            {
                yield return $"{word,-9}  {file.Path} -> {file.Topic}{Words(file)}";
            }
            if (files.Count > linesMax)
            {
                yield return $"{word,-9}  and {files.Count - linesMax} more; --all shows them";
            }
        }
        foreach (string pattern in plan.Unmatched)
        {
            yield return $"{"no file",-9}  {pattern}";
        }
        yield return Sum(plan, rate, rateSource);
    }

    private static string Words(PlannedFile file) => file.Step switch
    {
        PlannedStep.Start => $", from byte {file.From}: {ByteCount.Show(file.Left)}",
        PlannedStep.GoOn => $", at byte {file.From}: {ByteCount.Show(file.Left)} left",
        PlannedStep.Stop => $", at byte {file.From}: {ByteCount.Show(file.Left)} not read",
        _ => $": {file.Reason}",
    };

    private static string Sum(ReadingPlan plan, double? rate, string rateSource)
    {
        string counts = string.Join(", ", Steps.Select(step => $"{plan.Files.Count(file => file.Step == step.Step)} {step.Word}"));
        string time = plan.BytesToRead == 0 ? ""
            : rate is > 0 ? $", {ShortTime.Show(TimeSpan.FromSeconds(plan.BytesToRead / rate.Value))} at {ByteCount.Show((long)rate.Value)}/s ({rateSource})"
            : "; --rate 10MB says how long at so many bytes a second";
        return $"{counts}; {ByteCount.Show(plan.BytesToRead)} to read{time}";
    }
}
