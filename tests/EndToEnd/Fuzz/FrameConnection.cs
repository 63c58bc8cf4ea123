using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.EndToEnd.Fuzz;

/// <summary>A connection on which requests are sent as they are, and answers waited for: nothing is retried and nothing reconnects.</summary>
internal sealed class FrameConnection : IDisposable
{
    /// <summary>How long an answer may take before the broker counts as hung; in milliseconds.</summary>
    private const int AnswerWithin = 60_000;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true,
        ReceiveTimeout = AnswerWithin,
        SendTimeout = AnswerWithin,
    };

    private int _correlation;

    public FrameConnection(int port) => _socket.Connect(IPAddress.Loopback, port);

    /// <exception cref="SocketException">The broker closed the connection or did not answer in time.</exception>
    public TResponse Ask<TRequest, TResponse>(TRequest request, short version)
        where TRequest : class, IRequest<TResponse>
        where TResponse : class, IWireStruct, new()
    {
        using FrameBuffer frame = Frames.Request<TRequest, TResponse>(request, version, ++_correlation, "neighbour");
        byte[] bytes = new byte[frame.TotalLength];
        frame.CopyTo(bytes);
        _socket.Send(bytes);
        byte[] answer = Read(BinaryPrimitives.ReadInt32BigEndian(Read(4)));
        Assert.Equal(_correlation, BinaryPrimitives.ReadInt32BigEndian(answer));
        return Frames.ReadResponse<TResponse>(TRequest.Api, answer, version);
    }

    /// <summary>Sends bytes of any kind and reads whatever comes until the broker closes the connection, which it may do at any time.</summary>
    /// <param name="reset">Goes away with a TCP reset, its answers unread, instead of saying that nothing more will come.</param>
    public void Flood(ReadOnlySpan<byte> bytes, bool reset)
    {
        try
        {
            _socket.Send(bytes);
            if (reset)
            {
                _socket.LingerState = new LingerOption(enable: true, seconds: 0);
                return;
            }
            _socket.Shutdown(SocketShutdown.Send);
            Span<byte> answers = stackalloc byte[4096];
            while (_socket.Receive(answers) > 0)
            {
            }
        }
        catch (SocketException gone) when (gone.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
        }
    }

    public void Dispose() => _socket.Dispose();

    private byte[] Read(int size)
    {
        byte[] bytes = new byte[size];
        for (int read = 0; read < size;)
        {
            int more = _socket.Receive(bytes.AsSpan(read));
            read += more > 0 ? more : throw new SocketException((int)SocketError.ConnectionReset);
        }
        return bytes;
    }
}
