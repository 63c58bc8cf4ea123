using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Compare;

/// <summary>One connection, on which one request after the other is answered.</summary>
internal sealed class Link : IDisposable
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(20);

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private int _correlation;

    private Link()
    {
    }

    public static async Task<Link> OpenAsync(IPEndPoint endpoint)
    {
        var link = new Link();
        await link._socket.ConnectAsync(endpoint);
        return link;
    }

    /// <summary>Whether a broker answers there.</summary>
    public static async Task<bool> AnswersAsync(IPEndPoint endpoint)
    {
        try
        {
            using Link link = await OpenAsync(endpoint);
            return await link.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(new(), 0) is { ErrorCode: ErrorCode.None };
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The answer; null when the broker closed the connection instead, or answered nothing in time.</summary>
    public async Task<TResponse?> AskAsync<TRequest, TResponse>(TRequest request, short version)
        where TRequest : class, IRequest<TResponse>
        where TResponse : class, IWireStruct, new()
    {
        using FrameBuffer frame = Frames.Request<TRequest, TResponse>(request, version, ++_correlation, "compare");
        byte[] bytes = new byte[frame.TotalLength];
        frame.CopyTo(bytes);
        using var late = new CancellationTokenSource(AnswerMax);
        try
        {
            await _socket.SendAsync(bytes, late.Token);
            byte[] size = await ReceiveAsync(4, late.Token);
            byte[] answer = await ReceiveAsync(BinaryPrimitives.ReadInt32BigEndian(size), late.Token);
            return Frames.ReadResponse<TResponse>(TRequest.Api, answer, version);
        }
        catch (Exception e) when (e is SocketException or EndOfStreamException or OperationCanceledException)
        {
            return null;
        }
    }

    public void Dispose() => _socket.Dispose();

    private async Task<byte[]> ReceiveAsync(int count, CancellationToken cancellation)
    {
        byte[] bytes = new byte[count];
        for (int got = 0; got < count;)
        {
            int read = await _socket.ReceiveAsync(bytes.AsMemory(got), cancellation);
            got += read > 0 ? read : throw new EndOfStreamException();
        }
        return bytes;
    }
}
