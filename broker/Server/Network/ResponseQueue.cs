using LogPipeline.Broker.Telemetry;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Network;

// Answers become ready in any order, on any thread, and leave in the order of their requests: the thread that completes the oldest
// one, while no other is sending, sends it with all that are ready behind it, small ones gathered into one send; within a turn, as
// when a commit makes many answers ready, at the turn's end.
// _lock guards all fields; the reading loop alone enqueues and waits. A failed answer or send breaks the connection.
/// <summary>Answers owed to one client, sent in order.</summary>
internal sealed class ResponseQueue
{
    private const int OwedMax = 64;
    private const int GatherUpTo = 64 * 1024;

    private readonly IConnectionTransport _transport;
    private readonly BrokerTelemetry _telemetry;
    private readonly Action<Exception> _failed;
    private readonly Lock _lock = new();
    private readonly Queue<Owed> _owed = new();
    private readonly List<FrameBuffer> _leaving = []; // touched by the one who sends
    private readonly Action _sendReady;
    private TaskCompletionSource? _waiter;
    private int _waiterWants;
    private int _unsent;
    private bool _isSending;
    private Exception? _failure;

    /// <param name="transport">The connection.</param>
    /// <param name="telemetry">Counts what is sent.</param>
    /// <param name="failed">Told why an answer could not be sent.</param>
    public ResponseQueue(IConnectionTransport transport, BrokerTelemetry telemetry, Action<Exception> failed)
    {
        (_transport, _telemetry, _failed) = (transport, telemetry, failed);
        _sendReady = () => _ = SendReadyAsync();
    }

    /// <summary>Completes when one more answer may be owed.</summary>
    public ValueTask RoomAsync() => FewerThanAsync(OwedMax);

    /// <summary>Completes when no answer is owed.</summary>
    public ValueTask DrainAsync() => FewerThanAsync(1);

    /// <summary>Sends the answer, when it is there and all before it are sent; null is no answer.</summary>
    public void Enqueue(ValueTask<FrameBuffer?> response)
    {
        var owed = new Owed();
        lock (_lock)
        {
            _owed.Enqueue(owed);
            _unsent++;
        }
        if (response.IsCompletedSuccessfully)
        {
            Ready(owed, response.Result);
        }
        else
        {
            _ = AwaitAsync(owed, response);
        }
    }

    /// <summary>Sends an answer at once; none may be owed.</summary>
    public ValueTask SendAsync(FrameBuffer response, CancellationToken cancellation)
    {
        _telemetry.BytesOut(response.TotalLength);
        return _transport.SendAsync(response, cancellation);
    }

    /// <summary>Waits for what runs, whatever becomes of it: a failure has broken the connection already.</summary>
    public async ValueTask StopAsync()
    {
        try
        {
            await DrainAsync();
        }
        catch (Exception e)
        {
            _failed(e);
        }
    }

    private ValueTask FewerThanAsync(int count)
    {
        lock (_lock)
        {
            if (_unsent < count)
            {
                return _failure is null ? ValueTask.CompletedTask : ValueTask.FromException(_failure);
            }
            _waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiterWants = count;
            return new ValueTask(_waiter.Task);
        }
    }

    private async Task AwaitAsync(Owed owed, ValueTask<FrameBuffer?> response)
    {
        try
        {
            Ready(owed, await response);
        }
        catch (Exception e)
        {
            Fail(e);
            Ready(owed, null);
        }
    }

    private void Ready(Owed owed, FrameBuffer? frame)
    {
        lock (_lock)
        {
            owed.Frame = frame;
            owed.IsReady = true;
            if (_isSending || !_owed.Peek().IsReady)
            {
                return;
            }
            _isSending = true;
        }
        Turn.AtEnd(_sendReady);
    }

    private async Task SendReadyAsync()
    {
        for (int count = Take(); count > 0; count = Take())
        {
            try
            {
                if (Volatile.Read(ref _failure) is null)
                {
                    await SendAsync(_leaving);
                }
            }
            catch (Exception e)
            {
                Fail(e);
            }
            _leaving.ForEach(static frame => frame.Dispose());
            _leaving.Clear();
            Settle(count);
        }
    }

    /// <summary>Takes the answers whose turn it is; when it is nobody's, sending ends.</summary>
    private int Take()
    {
        lock (_lock)
        {
            int count = 0;
            for (; _owed.TryPeek(out Owed? first) && first.IsReady; count++)
            {
                if (_owed.Dequeue().Frame is { } frame)
                {
                    _leaving.Add(frame);
                }
            }
            _isSending = count > 0;
            return count;
        }
    }

    private async ValueTask SendAsync(List<FrameBuffer> frames)
    {
        FrameBuffer? gathered = null;
        foreach (FrameBuffer frame in frames)
        {
            _telemetry.BytesOut(frame.TotalLength);
            if (gathered is not null && frame.Splices.Count == 0 && gathered.Length + frame.Length <= GatherUpTo)
            {
                frame.Bytes.Span.CopyTo(gathered.Append(frame.Length));
                continue;
            }
            if (gathered is not null)
            {
                await _transport.SendAsync(gathered, CancellationToken.None);
            }
            gathered = frame;
        }
        if (gathered is not null)
        {
            await _transport.SendAsync(gathered, CancellationToken.None);
        }
    }

    private void Settle(int count)
    {
        TaskCompletionSource? waiter = null;
        lock (_lock)
        {
            _unsent -= count;
            if (_waiter is not null && _unsent < _waiterWants)
            {
                (waiter, _waiter) = (_waiter, null);
            }
        }
        if (waiter is not null)
        {
            Release(waiter);
        }
    }

    private void Release(TaskCompletionSource waiter)
    {
        if (Volatile.Read(ref _failure) is { } failure)
        {
            waiter.TrySetException(failure);
        }
        else
        {
            waiter.TrySetResult();
        }
    }

    private void Fail(Exception cause)
    {
        lock (_lock)
        {
            _failure ??= cause;
        }
        _transport.Abort();
    }

    private sealed class Owed
    {
        public FrameBuffer? Frame;
        public bool IsReady;
    }
}
