using LogPipeline.Client.Consuming;

namespace LogPipeline.Client.Tests.Interop;

/// <summary>A group member that polls in the background and tells when its partitions change.</summary>
internal sealed class Member : IRebalanceListener, IAsyncDisposable
{
    private readonly Consumer _consumer;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _polling;
    private readonly Lock _gate = new();
    private readonly SortedSet<TopicPartition> _owned = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Member(Consumer consumer, string topic)
    {
        _consumer = consumer;
        consumer.Subscribe([topic], this);
        _polling = PollAsync();
    }

    public IReadOnlyList<TopicPartition> Owned
    {
        get
        {
            lock (_gate)
            {
                return [.. _owned];
            }
        }
    }

    public int Changes { get; private set; }

    public async Task UntilAsync(Func<IReadOnlyList<TopicPartition>, bool> condition, CancellationToken ct)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (condition([.. _owned]))
                {
                    return;
                }
                changed = _changed.Task;
            }
            await (await Task.WhenAny(_polling, changed.WaitAsync(ct)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _polling;
        await _consumer.DisposeAsync();
        _stop.Dispose();
    }

    public ValueTask AssignedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct)
    {
        Change(() => _owned.UnionWith(partitions));
        return default;
    }

    public ValueTask RevokedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct)
    {
        Change(() => _owned.ExceptWith(partitions));
        return default;
    }

    public ValueTask LostAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct) => RevokedAsync(partitions, ct);

    private async Task PollAsync()
    {
        try
        {
            while (true)
            {
                await _consumer.PollAsync(_stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Closed by the test.
        }
    }

    private void Change(Action change)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            change();
            Changes++;
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        changed.SetResult();
    }
}
