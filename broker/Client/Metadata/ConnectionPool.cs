using LogPipeline.Client.Connections;
using LogPipeline.Files.Waiting;

namespace LogPipeline.Client.Metadata;

/// <summary>
/// One connection per endpoint and lane, opened when first wanted; all who want it meanwhile share the attempt. A lane keeps
/// requests that a broker holds back (fetches, joins) from delaying others. <c>_gate</c> guards <c>_slots</c>.
/// </summary>
internal sealed class ConnectionPool(ClientOptions options, IConnector connector, TimeProvider time) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<(string Host, int Port, int Lane), Task<BrokerConnection>> _slots = [];
    private readonly CancellationTokenSource _closed = new();

    /// <summary>The open connection, if there is one.</summary>
    public BrokerConnection? Find(BrokerEndpoint endpoint, int lane)
    {
        lock (_gate)
        {
            return _slots.TryGetValue((endpoint.Host, endpoint.Port, lane), out Task<BrokerConnection>? slot)
                && slot.IsCompletedSuccessfully && !slot.Result.IsBroken
                ? slot.Result
                : null;
        }
    }

    public ValueTask<BrokerConnection> GetAsync(BrokerEndpoint endpoint, int lane, CancellationToken ct)
    {
        Task<BrokerConnection> slot;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed.IsCancellationRequested, this);
            (string Host, int Port, int lane) key = (endpoint.Host, endpoint.Port, lane);
            if (!_slots.TryGetValue(key, out slot!) || slot.IsCompleted && !(slot.IsCompletedSuccessfully && !slot.Result.IsBroken))
            {
                slot = BrokerConnection.OpenAsync(endpoint, options, connector, time, _closed.Token).AsTask();
                _slots[key] = slot;
            }
        }
        return slot.IsCompletedSuccessfully ? ValueTask.FromResult(slot.Result) : new ValueTask<BrokerConnection>(slot.OrCancelled(ct));
    }

    public async ValueTask CloseLaneAsync(int lane)
    {
        List<Task<BrokerConnection>> slots = [];
        lock (_gate)
        {
            foreach ((string Host, int Port, int Lane) key in _slots.Keys.Where(k => k.Lane == lane).ToList())
            {
                slots.Add(_slots[key]);
                _slots.Remove(key);
            }
        }
        await CloseAsync(slots);
    }

    public async ValueTask DisposeAsync()
    {
        List<Task<BrokerConnection>> slots;
        lock (_gate)
        {
            slots = [.. _slots.Values];
            _slots.Clear();
        }
        _closed.Cancel();
        await CloseAsync(slots);
    }

    private static async ValueTask CloseAsync(List<Task<BrokerConnection>> slots)
    {
        foreach (Task<BrokerConnection> slot in slots)
        {
            BrokerConnection? connection = null;
            try
            {
                connection = await slot;
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The attempt failed: there is nothing to close.
            }
            if (connection is not null)
            {
                await connection.DisposeAsync();
            }
        }
    }
}
