using System.Net;
using System.Net.Sockets;

namespace LogPipeline.Testing.Network;

/// <summary>
/// Ports that a server comes back to after a kill. Taken below the range that the kernel gives to outgoing connections, else one of
/// those could sit on the port while the server is down.
/// </summary>
public static class Ports
{
    private const int First = 15_000;
    private const int Last = 31_000;

    /// <summary>The first of <paramref name="count"/> neighbouring ports that nobody uses.</summary>
    public static int Free(int count = 1)
    {
        while (true)
        {
            int first = Random.Shared.Next(First, Last);
            if (Enumerable.Range(first, count).All(IsFree))
            {
                return first;
            }
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port) { ExclusiveAddressUse = true };
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
