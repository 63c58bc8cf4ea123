using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Benchmarks.Broker;

/// <summary>
/// A client connection that costs next to nothing, so that two cores measure the broker: blocking calls on the caller's thread, frames
/// that are built once, and several answers to a receive.
/// </summary>
internal sealed class LoadConnection : IDisposable
{
    private readonly Socket _socket;
    private byte[] _received = new byte[64 * 1024];
    private int _start;
    private int _end;

    public LoadConnection(IPEndPoint broker)
    {
        _socket = new Socket(broker.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(broker);
    }

    /// <summary>Returns a produce request of version 7 with one batch, acks=all.</summary>
    public static byte[] Produce(string topic, int partition, ReadOnlyMemory<byte> batch)
    {
        var request = new ProduceRequest { Acks = -1, TimeoutMs = 30_000 };
        request.TopicData.Add(new() { Name = topic, PartitionData = [new() { Index = partition, Records = new RecordSet(batch) }] });
        return Whole(Frames.Request<ProduceRequest, ProduceResponse>(request, 7, 1, "bench"));
    }

    /// <summary>Returns a fetch request of version 4 for one partition; <paramref name="waitMs"/> 0 asks for an answer at once.</summary>
    public static byte[] Fetch(string topic, int partition, long offset, int waitMs = 0)
    {
        var request = new FetchRequest { MaxBytes = 1 << 20, MinBytes = 1, MaxWaitMs = waitMs };
        request.Topics.Add(new() { Name = topic, Partitions = [new() { Index = partition, FetchOffset = offset, PartitionMaxBytes = 1 << 20 }] });
        return Whole(Frames.Request<FetchRequest, FetchResponse>(request, 4, 1, "bench"));
    }

    public void Send(ReadOnlySpan<byte> frames)
    {
        while (frames.Length > 0)
        {
            frames = frames[_socket.Send(frames)..];
        }
    }

    /// <summary>Whether the next answer is there whole, so that <see cref="Receive"/> will not wait.</summary>
    public bool HasAnswer => _end - _start >= 4 && _end - _start - 4 >= BinaryPrimitives.ReadInt32BigEndian(_received.AsSpan(_start));

    /// <summary>Returns the next answer without its size, valid until the next call.</summary>
    public ReadOnlyMemory<byte> Receive()
    {
        Fill(4);
        int size = BinaryPrimitives.ReadInt32BigEndian(_received.AsSpan(_start));
        _start += 4;
        Fill(size);
        _start += size;
        return _received.AsMemory(_start - size, size);
    }

    /// <summary>Receives one answer to <see cref="Produce"/> and requires that the batch was taken.</summary>
    public void Produced()
    {
        ReadOnlySpan<byte> answer = Receive().Span;
        int topic = BinaryPrimitives.ReadInt16BigEndian(answer[8..]);
        Require((ErrorCode)BinaryPrimitives.ReadInt16BigEndian(answer[(10 + topic + 8)..]));
    }

    /// <summary>Sends a fetch and returns its one partition's answer.</summary>
    public FetchResponse.Response.Partition Fetched(ReadOnlySpan<byte> fetch)
    {
        Send(fetch);
        FetchResponse answer = Frames.ReadResponse<FetchResponse>(FetchRequest.Api, Receive(), 4);
        return answer.Responses[0].Partitions[0];
    }

    /// <summary>Creates a topic and waits until each partition takes batches: a cluster creates topics behind its answer.</summary>
    public void CreateTopic(string topic, int partitions)
    {
        var request = new CreateTopicsRequest { TimeoutMs = 60_000 };
        request.Topics.Add(new() { Name = topic, NumPartitions = partitions, ReplicationFactor = 1 });
        Send(Whole(Frames.Request<CreateTopicsRequest, CreateTopicsResponse>(request, 2, 1, "bench")));
        Require(Frames.ReadResponse<CreateTopicsResponse>(CreateTopicsRequest.Api, Receive(), 2).Topics[0].ErrorCode);
        for (int partition = 0; partition < partitions; partition++)
        {
            byte[] fetch = Fetch(topic, partition, 0);
            while (Fetched(fetch).ErrorCode != ErrorCode.None)
            {
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    public static void Require(ErrorCode error)
    {
        if (error != ErrorCode.None)
        {
            throw new InvalidOperationException($"the broker answered {error}");
        }
    }

    private void Fill(int wanted)
    {
        if (_received.Length - _start < wanted)
        {
            byte[] room = _received.Length < wanted ? new byte[wanted] : _received;
            _received.AsSpan(_start, _end - _start).CopyTo(room);
            (_received, _start, _end) = (room, 0, _end - _start);
        }
        while (_end - _start < wanted)
        {
            int received = _socket.Receive(_received.AsSpan(_end));
            _end += received > 0 ? received : throw new IOException("the broker closed the connection");
        }
    }

    private static byte[] Whole(FrameBuffer frame)
    {
        using (frame)
        {
            byte[] whole = new byte[frame.TotalLength];
            frame.CopyTo(whole);
            return whole;
        }
    }
}
