using System.Net.Sockets;
using LogPipeline.Simulation.Kernel;

namespace LogPipeline.Simulation.Network;

/// <summary>Who listens where, and the way there.</summary>
public sealed class SimNetwork(World world)
{
    private readonly Dictionary<(string Host, int Port), Listener> _listeners = [];

    public World World { get; } = world;

    public NetworkFaults Faults { get; } = new();

    /// <summary>Listens until the life ends; <paramref name="accept"/> runs in the life's context, once a connection.</summary>
    public void Listen(Life life, string host, int port, Action<LinkEnd> accept)
    {
        life.Enter("listen");
        _listeners[(host, port)] = new Listener(life, accept);
    }

    /// <exception cref="SocketException">Refused, or nobody answered.</exception>
    public Task<LinkEnd> ConnectAsync(Life client, string host, int port, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        client.Enter("connect");
        var connected = new TaskCompletionSource<LinkEnd>();
        if (cancellation.CanBeCanceled)
        {
            cancellation.Register(() => World.After(TimeSpan.Zero, client, () => connected.TrySetCanceled(cancellation)));
        }
        World.After(World.Between(TimeSpan.FromMicroseconds(20), Faults.LatencyMax), client, () => Arrive(client, (host, port), connected));
        return connected.Task;
    }

    private void Arrive(Life client, (string Host, int Port) to, TaskCompletionSource<LinkEnd> connected)
    {
        if (connected.Task.IsCompleted)
        {
            return;
        }
        if (!_listeners.TryGetValue(to, out Listener? listener) || World.Chance(Faults.Refuse) || !listener.Life.IsAlive)
        {
            if (listener is { Life.Part.Machine.IsUp: false })
            {
                // Nobody there to refuse.
                World.After(World.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30)), client,
                    () => connected.TrySetException(new SocketException((int)SocketError.TimedOut)));
                return;
            }
            connected.TrySetException(new SocketException((int)SocketError.ConnectionRefused));
            return;
        }
        var link = new Link(this, client, listener.Life);
        World.Schedule(TimeSpan.Zero, listener.Life, true, _ => listener.Accept(link.ServerEnd), null);
        connected.TrySetResult(link.ClientEnd);
    }

    private sealed record Listener(Life Life, Action<LinkEnd> Accept);
}
