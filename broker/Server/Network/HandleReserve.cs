using System.Net.Sockets;

namespace LogPipeline.Broker.Network;

/// <summary>
/// File handles that connections may not have: the logs need some to roll segments and to open indexes, whatever clients do. The
/// system assigns the lowest free number, so a socket's own number says how many handles are left.
/// </summary>
internal sealed class HandleReserve
{
    private const int ReserveMax = 1024;

    private readonly long _numbersFrom;

    /// <summary>A reserve of an eighth of the handles that this process may have.</summary>
    public HandleReserve()
        : this(SocketCalls.HandleLimit())
    {
    }

    internal HandleReserve(long limit) => _numbersFrom = limit - Math.Min(limit / 8, ReserveMax);

    /// <summary>Whether this connection's handle is one of the reserved ones, so that it must be closed.</summary>
    public bool IsTouchedBy(Socket socket) => socket.SafeHandle.DangerousGetHandle() >= _numbersFrom;
}
