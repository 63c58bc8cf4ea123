namespace LogPipeline.Hosting.Telemetry;

/// <summary>
/// What <c>/healthz</c> answers from: each part of the process says under its name what is wrong, or null when all is well.
/// The checks run on the thread of the request and must only read state.
/// </summary>
public sealed class Health
{
    private readonly Lock _lock = new();
    private readonly List<(string Part, Func<string?> Check, Func<string?> Note)> _checks = [];

    /// <param name="part">Its name.</param>
    /// <param name="check">Returns what is wrong, or null.</param>
    /// <param name="note">Returns what stands in place of <c>ok</c> while nothing is wrong; null = <c>ok</c>.</param>
    public void Add(string part, Func<string?> check, Func<string?>? note = null)
    {
        lock (_lock)
        {
            _checks.Add((part, check, note ?? (static () => null)));
        }
    }

    /// <summary>One line for each part, in the order in which they came, and whether all are well.</summary>
    public (bool IsWell, string Text) Report()
    {
        lock (_lock)
        {
            List<(string Part, string? Problem, string? Note)> answers = _checks.ConvertAll(check => (check.Part, Problem: check.Check(), Note: check.Note()));
            string text = answers.Count == 0 ? "ok\n" : string.Concat(answers.Select(answer => $"{answer.Part}: {answer.Problem ?? answer.Note ?? "ok"}\n"));
            return (answers.TrueForAll(answer => answer.Problem is null), text);
        }
    }
}
