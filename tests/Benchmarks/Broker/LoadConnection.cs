using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Benchmarks.Broker;

/// <summary>A client connection that costs next to nothing: frames are built once and sent as they are, answers read and dropped.</summary>
internal sealed class LoadConnection(IPEndPoint broker) : IDisposable
{
    private readonly Socket _socket = Connect(broker);
    private byte[] _answer = new byte[64 * 1024];

    public static byte[] Produce(string topic, int partition, ReadOnlyMemory<byte> batch)
    {
        var request = new ProduceRequest { Acks = -1, TimeoutMs = 30_000 };
        request.TopicData.Add(new() { Name = topic, PartitionData = [new() { Index = partition, Records = new RecordSet(batch) }] });
        return Whole(Frames.Request<ProduceRequest, ProduceResponse>(request, 7, 1, "bench"));
    }

    public static byte[] Fetch(string topic, int partition, long offset)
    {
        var request = new FetchRequest { MaxBytes = 1 << 20 };
        request.Topics.Add(new() { Name = topic, Partitions = [new() { Index = partition, FetchOffset = offset, PartitionMaxBytes = 1 << 20 }] });
        return Whole(Frames.Request<FetchRequest, FetchResponse>(request, 4, 1, "bench"));
    }

    public async Task SendAsync(ReadOnlyMemory<byte> frame)
    {
        while (frame.Length > 0)
        {
            frame = frame[await _socket.SendAsync(frame)..];
        }
    }

    /// <summary>The next answer without its size, valid until the next call.</summary>
    public async Task<ReadOnlyMemory<byte>> ReceiveAsync()
    {
        await FillAsync(4);
        int size = BinaryPrimitives.ReadInt32BigEndian(_answer);
        if (_answer.Length < size)
        {
            _answer = new byte[size];
        }
        await FillAsync(size);
        return _answer.AsMemory(0, size);
    }

    public async Task ProducedAsync()
    {
        ProduceResponse answer = Frames.ReadResponse<ProduceResponse>(ProduceRequest.Api, await ReceiveAsync(), 7);
        Require(answer.Responses[0].PartitionResponses[0].ErrorCode);
    }

    public async Task CreateTopicAsync(string topic, int partitions)
    {
        var request = new CreateTopicsRequest();
        request.Topics.Add(new() { Name = topic, NumPartitions = partitions, ReplicationFactor = 1 });
        await SendAsync(Whole(Frames.Request<CreateTopicsRequest, CreateTopicsResponse>(request, 2, 1, "bench")));
        CreateTopicsResponse answer = Frames.ReadResponse<CreateTopicsResponse>(CreateTopicsRequest.Api, await ReceiveAsync(), 2);
        Require(answer.Topics[0].ErrorCode);
    }

    /// <summary>Waits until a partition takes batches: a cluster creates topics behind its answer.</summary>
    public async Task UntilServedAsync(string topic, int partition)
    {
        byte[] fetch = Fetch(topic, partition, 0);
        while (true)
        {
            await SendAsync(fetch);
            FetchResponse answer = Frames.ReadResponse<FetchResponse>(FetchRequest.Api, await ReceiveAsync(), 4);
            if (answer.Responses[0].Partitions[0].ErrorCode == ErrorCode.None)
            {
                return;
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private async Task FillAsync(int size)
    {
        for (int have = 0; have < size;)
        {
            int received = await _socket.ReceiveAsync(_answer.AsMemory(have, size - have));
            have += received > 0 ? received : throw new IOException("the broker closed the connection");
        }
    }

    public static void Require(ErrorCode error)
    {
        if (error != ErrorCode.None)
        {
            throw new InvalidOperationException($"the broker answered {error}");
        }
    }

    private static byte[] Whole(FrameBuffer frame)
    {
        using (frame)
        {
            byte[] whole = new byte[frame.TotalLength];
            LogPipeline.Broker.Network.SocketTransport.Flatten(frame, whole);
            return whole;
        }
    }

    private static Socket Connect(IPEndPoint broker)
    {
        var socket = new Socket(broker.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(broker);
        return socket;
    }
}
