using System.Diagnostics.CodeAnalysis;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// How background work hands its result to the worker's loop: as an action that the loop runs, and a token that ends the loop's
/// wait. The lock guards both fields and is never held while a token is cancelled.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The sources have no timer to release, and work that ends late still posts.")]
internal sealed class LoopInbox
{
    private readonly Lock _gate = new();
    private List<Action> _actions = [];
    private CancellationTokenSource _wake = new();

    /// <summary>Cancelled when something is posted after the last <see cref="Run"/>.</summary>
    public CancellationToken Wake
    {
        get
        {
            lock (_gate)
            {
                return _wake.Token;
            }
        }
    }

    public void Post(Action action)
    {
        CancellationTokenSource wake;
        lock (_gate)
        {
            _actions.Add(action);
            wake = _wake;
        }
        wake.Cancel();
    }

    /// <summary>Runs what was posted, in order, on the caller.</summary>
    public void Run()
    {
        List<Action> actions;
        lock (_gate)
        {
            if (_actions.Count == 0)
            {
                return;
            }
            actions = _actions;
            _actions = [];
            _wake = new CancellationTokenSource();
        }
        foreach (Action action in actions)
        {
            action();
        }
    }
}
