namespace LogPipeline.Hosting.Telemetry;

/// <summary>
/// What <c>/healthz</c> answers from: each part of the process says under its name what is wrong, or null when all is well.
/// The checks run on the thread of the request and must only read state.
/// </summary>
public sealed class Health
{
    private readonly Lock _lock = new();
    private readonly List<(string Part, Func<string?> Check)> _checks = [];

    public void Add(string part, Func<string?> check)
    {
        lock (_lock)
        {
            _checks.Add((part, check));
        }
    }

    /// <summary>One line for each part, in the order in which they came, and whether all are well.</summary>
    public (bool IsWell, string Text) Report()
    {
        lock (_lock)
        {
            List<(string Part, string? Problem)> answers = _checks.ConvertAll(check => (check.Part, Problem: check.Check()));
            string text = answers.Count == 0 ? "ok\n" : string.Concat(answers.Select(answer => $"{answer.Part}: {answer.Problem ?? "ok"}\n"));
            return (answers.TrueForAll(answer => answer.Problem is null), text);
        }
    }
}
