using LogPipeline.Broker.Telemetry;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Network;

// Owned by the reading loop of one connection, which alone calls it; the answers run beside that loop, each one chained to the one
// before, so that they leave in the order of their requests. A failed answer breaks the connection.
/// <summary>Answers owed to one client, sent in order; <c>failed</c> is told why one could not be, once the connection has ended.</summary>
internal sealed class ResponseQueue(IConnectionTransport transport, BrokerTelemetry telemetry, Action<Exception> failed)
{
    private const int OwedMax = 64;

    private readonly Queue<Task> _owed = new();
    private Task _last = Task.CompletedTask;

    /// <summary>Completes when one more answer may be owed.</summary>
    public async ValueTask RoomAsync()
    {
        while (_owed.TryPeek(out Task? first) && (first.IsCompleted || _owed.Count >= OwedMax))
        {
            await first;
            _ = _owed.Dequeue();
        }
    }

    /// <summary>Sends the answer, when it is there and all before it are sent; null is no answer.</summary>
    public void Enqueue(ValueTask<FrameBuffer?> response)
    {
        _last = AnswerAsync(_last, response);
        _owed.Enqueue(_last);
    }

    /// <summary>Completes when no answer is owed.</summary>
    public async ValueTask DrainAsync()
    {
        if (_owed.Count > 0)
        {
            await _last;
            _owed.Clear();
        }
    }

    /// <summary>Sends an answer at once; none may be owed.</summary>
    public async ValueTask SendAsync(FrameBuffer response, CancellationToken cancellation)
    {
        telemetry.BytesOut(response.TotalLength);
        await transport.SendAsync(response, cancellation);
    }

    /// <summary>Waits for what runs, whatever becomes of it: a failure has broken the connection already.</summary>
    public async ValueTask StopAsync()
    {
        try
        {
            await _last;
        }
        catch (Exception e)
        {
            failed(e);
        }
    }

    private async Task AnswerAsync(Task before, ValueTask<FrameBuffer?> response)
    {
        try
        {
            using FrameBuffer? frame = await response;
            await before;
            if (frame is not null)
            {
                await SendAsync(frame, CancellationToken.None);
            }
        }
        catch
        {
            transport.Abort();
            throw;
        }
    }
}
