using System.Buffers.Binary;
using LogPipeline.Client.Connections;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;
using LogPipeline.Testing.Network;

namespace LogPipeline.Client.Tests.Connections;

/// <summary>
/// A broker in memory that speaks as much as a test needs: handlers by API key give answers, or null to close the connection. Requests of one
/// connection are handled in order, one after another.
/// </summary>
internal class ScriptedBroker : IConnector
{
    private readonly Dictionary<ApiKey, (Api Api, Func<RequestHeader, ReadOnlyMemory<byte>, Task<FrameBuffer?>> Handle)> _handlers = [];

    public ScriptedBroker()
    {
        On<ApiVersionsRequest, ApiVersionsResponse>(_ => new ApiVersionsResponse
        {
            ApiKeys = [.. _handlers.Values.Select(h => new ApiVersionsResponse.ApiVersion { ApiKey = (short)h.Api.Key, MinVersion = h.Api.MinVersion, MaxVersion = h.Api.MaxVersion })],
        });
    }

    public int Connections { get; private set; }

    public int MetadataAsked { get; private set; }

    /// <summary>Why connecting fails; null: it does not.</summary>
    public Exception? Refusal { get; set; }

    /// <summary>The one port where nobody listens.</summary>
    public int DeadPort { get; set; }

    public void On<TRequest, TResponse>(Func<TRequest, TResponse?> answer, short newest = short.MaxValue)
        where TRequest : class, IRequest<TResponse>, new()
        where TResponse : class, IWireStruct, new() => OnAsync<TRequest, TResponse>(r => Task.FromResult(answer(r)), newest);

    public void OnAsync<TRequest, TResponse>(Func<TRequest, Task<TResponse?>> answer, short newest = short.MaxValue)
        where TRequest : class, IRequest<TResponse>, new()
        where TResponse : class, IWireStruct, new()
    {
        Api api = TRequest.Api with { MaxVersion = Math.Min(TRequest.Api.MaxVersion, newest) };
        _handlers[api.Key] = (api, AnswerAsync);

        async Task<FrameBuffer?> AnswerAsync(RequestHeader header, ReadOnlyMemory<byte> body)
        {
            TResponse? response = await answer(Frames.ReadRequest<TRequest, TResponse>(body, header.Version));
            return response is null ? null : Frames.Response(api, response, header.Version, header.CorrelationId);
        }
    }

    /// <summary>Of all partitions.</summary>
    public int LeaderEpoch { get; set; }

    /// <summary>Answers as the one broker of its cluster, <c>b:1</c>, which leads all partitions of one topic.</summary>
    public void Lead(string topic, int partitions) => LedBy(topic, [.. Enumerable.Repeat(1, partitions)]);

    /// <summary>
    /// Answers for a cluster whose broker n is at <c>b:n</c> and that has one topic: its partitions' leaders, -1 for none. With a clock an answer
    /// takes a millisecond, so that a test ends in which one is asked for without pause.
    /// </summary>
    public void LedBy(string topic, IReadOnlyList<int> leaders, TimeProvider? time = null) => OnAsync<MetadataRequest, MetadataResponse>(
        async _ =>
        {
            MetadataAsked++;
            await (time is null ? Task.CompletedTask : Task.Delay(TimeSpan.FromMilliseconds(1), time));
            return new MetadataResponse
            {
                ClusterId = "c",
                Brokers = [.. leaders.Where(leader => leader > 0).Distinct().Select(leader => new MetadataResponse.Broker { NodeId = leader, Host = "b", Port = leader })],
                Topics =
                [
                    new()
                    {
                        Name = topic,
                        Partitions = [.. leaders.Select((leader, partition) => new MetadataResponse.Topic.Partition
                        {
                            PartitionIndex = partition, LeaderId = leader, LeaderEpoch = LeaderEpoch, ReplicaNodes = [1], IsrNodes = [1],
                        })],
                    },
                ],
            };
        },
        newest: 9);

    public ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken ct)
    {
        if (Refusal is { } refusal)
        {
            throw refusal;
        }
        if (port == DeadPort)
        {
            throw new IOException("Connection refused");
        }
        Connections++;
        (DuplexStream ours, DuplexStream theirs) = DuplexStream.Pair();
        _ = ServeAsync(theirs);
        return ValueTask.FromResult<Stream>(ours);
    }

    private async Task ServeAsync(DuplexStream stream)
    {
        await using DuplexStream closing = stream;
        byte[] size = new byte[4];
        while (await FillAsync(stream, size))
        {
            byte[] frame = new byte[BinaryPrimitives.ReadInt32BigEndian(size)];
            await FillAsync(stream, frame);
            RequestHeader header = Frames.ReadRequestHeader(frame, out int read);
            using FrameBuffer? answer = await _handlers[header.Key].Handle(header, frame.AsMemory(read));
            if (answer is null)
            {
                return;
            }
            try
            {
                await stream.WriteAsync(answer.Bytes);
            }
            catch (IOException)
            {
                return;
            }
        }
    }

    private static async Task<bool> FillAsync(Stream stream, Memory<byte> to)
    {
        while (to.Length > 0)
        {
            int read = await stream.ReadAsync(to);
            if (read == 0)
            {
                return false;
            }
            to = to[read..];
        }
        return true;
    }
}
