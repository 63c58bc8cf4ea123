using LogPipeline.Contract.Reports;

namespace LogPipeline.Agent.Status;

/// <summary>
/// The agent as other threads may ask it: health at once, a report by way of the agent's loop. It outlives a run of the agent, so that a reload
/// changes nothing for those who hold it.
/// </summary>
public sealed class AgentStatus
{
    private volatile Source? _source;

    /// <summary>What keeps the agent from doing all it should, in one line; null when all is well, or it does not run.</summary>
    public string? Problem => _source?.Problems() is { Count: > 0 } problems ? string.Join("; ", problems) : null;

    /// <summary>Returns the agent's report; null when no agent runs. It may never come where the agent's loop hangs: bound the wait.</summary>
    /// <param name="path">Only files that have, or first had, this path; null = all.</param>
    /// <param name="filesMax">The most files that are told.</param>
    public Task<AgentReport?> ReportAsync(string? path, int filesMax)
    {
        if (_source is not Source source)
        {
            return Task.FromResult<AgentReport?>(null);
        }
        var answer = new TaskCompletionSource<AgentReport?>(TaskCreationOptions.RunContinuationsAsynchronously);
        source.Context.Post(_ =>
        {
            try
            {
                answer.SetResult(source.Report(path, filesMax));
            }
            catch (Exception fault)
            {
                answer.SetException(fault);
            }
        }, null);
        return answer.Task;
    }

    /// <summary>An agent runs from now on, on <paramref name="context"/>.</summary>
    internal void Attach(SynchronizationContext context, Func<IReadOnlyList<string>> problems, Func<string?, int, AgentReport> report) =>
        _source = new Source(context, problems, report);

    internal void Detach() => _source = null;

    private sealed record Source(SynchronizationContext Context, Func<IReadOnlyList<string>> Problems, Func<string?, int, AgentReport> Report);
}
