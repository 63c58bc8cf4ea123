using System.Net;
using System.Net.Sockets;
using LogPipeline.Client.Connections;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Client.Tests.Connections;

/// <summary>What comes out is the frame, whatever its size and stream.</summary>
public sealed class FrameWriterTests
{
    public static TheoryData<int, int> Sizes => new() { { 0, 0 }, { 1, 1 }, { 500, 1 }, { 16_000, 1 }, { 20_000, 1 }, { 20_000, 3 }, { 3_000_000, 2 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task A_socket_takes_the_whole_frame(int size, int splices)
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        await using Stream stream = await new TcpConnector().ConnectAsync("127.0.0.1", ((IPEndPoint)listener.LocalEndPoint!).Port, CancellationToken.None);
        using Socket peer = await listener.AcceptAsync();
        var writer = new FrameWriter(stream);
        for (int round = 0; round < 3; round++)
        {
            using FrameBuffer frame = Frame(size, splices, round);
            byte[] expected = Whole(frame);
            Task written = writer.WriteAsync(frame).AsTask();
            Assert.Equal(expected, await ReadAsync(peer, expected.Length));
            await written;
        }
        Assert.Equal(0, peer.Available);
    }

    /// <summary>As TLS and the simulator's network are.</summary>
    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task A_stream_that_is_no_socket_takes_the_whole_frame(int size, int splices)
    {
        using var stream = new MemoryStream();
        using FrameBuffer frame = Frame(size, splices, 7);
        await new FrameWriter(stream).WriteAsync(frame);
        Assert.Equal(Whole(frame), stream.ToArray());
    }

    private static FrameBuffer Frame(int size, int splices, int seed)
    {
        var random = new Random(seed);
        var frame = new FrameBuffer();
        for (int i = 0; i < splices; i++)
        {
            random.NextBytes(frame.Append(random.Next(1, 90)));
            byte[] records = new byte[size];
            random.NextBytes(records);
            frame.AppendSplice(new RecordSet(records));
        }
        random.NextBytes(frame.Append(20));
        return frame;
    }

    private static byte[] Whole(FrameBuffer frame)
    {
        byte[] bytes = new byte[frame.TotalLength];
        frame.CopyTo(bytes);
        return bytes;
    }

    private static async Task<byte[]> ReadAsync(Socket peer, int length)
    {
        byte[] bytes = new byte[length];
        for (int at = 0; at < length;)
        {
            int got = await peer.ReceiveAsync(bytes.AsMemory(at));
            Assert.NotEqual(0, got);
            at += got;
        }
        return bytes;
    }
}
