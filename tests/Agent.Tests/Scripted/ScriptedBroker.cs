using LogPipeline.Client.Connections;
using LogPipeline.Contract;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;
using LogPipeline.Testing.Network;

namespace LogPipeline.Agent.Tests.Scripted;

/// <summary>
/// A broker in memory whose topics and partitions share one log, strict about sequences, that can be told to forget, to lose its end, to
/// break connections before or after it appended, and to refuse. Runs on the context of the connecting caller.
/// </summary>
internal sealed class ScriptedBroker : IConnector
{
    private readonly List<(byte[] Batch, BatchHeader Header)> _log = [];
    private readonly Dictionary<long, string> _topics = [];
    private readonly Dictionary<long, (short Epoch, int LastSequence, long BaseOffset, int BaseSequence)> _producers = [];
    private readonly List<DuplexStream> _connections = [];
    private long _nextProducerId = 1000;
    private int _dropped; // batches, from the first on

    public string ClusterId { get; set; } = "cluster-a";

    public Guid TopicId { get; set; } = new(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);

    public int Partitions { get; set; } = 1;

    /// <summary>Whether there is a topic of a name.</summary>
    public Predicate<string> HasTopic { get; set; } = static name => name == "t";

    /// <summary>A batch with this value in it is refused; null = none.</summary>
    public string? RefusedValue { get; set; }

    /// <summary>What a refused batch is answered with.</summary>
    public ErrorCode Refusal { get; set; } = ErrorCode.MessageTooLarge;

    /// <summary>The partitions that batches came to, in order.</summary>
    public List<int> PartitionsUsed { get; } = [];

    public long EndOffset => _log.Count == 0 ? 0 : _log[^1].Header.NextOffset;

    public int Batches => _log.Count;

    public int Fences { get; private set; }

    /// <summary>Rises when the leader changes; batches carry it.</summary>
    public int LeaderEpoch { get; set; }

    /// <summary>What it waits for before it looks at what came; null = nothing.</summary>
    public Task? Held { get; set; }

    /// <summary>Whether it is one without DescribeProducers.</summary>
    public bool HidesProducers { get; set; }

    /// <summary>Requests of each kind that came.</summary>
    public Dictionary<ApiKey, int> Asked { get; } = [];

    /// <summary>Asked before each answer: whether the connection ends instead.</summary>
    public Predicate<ApiKey> Drops { get; set; } = static _ => false;

    /// <summary>Asked before each batch that is not a fence; what it gives happens.</summary>
    public Func<BatchHeader, ProduceFate> Fate { get; set; } = _ => ProduceFate.Take;

    /// <summary>Called after each answer to where the log begins.</summary>
    public Action? Began { get; set; }

    /// <summary>Where the log begins: batches below it are gone.</summary>
    public long StartOffset { get; private set; }

    /// <summary>The producer whose batches it serves in a codec that nobody knows.</summary>
    public long? Unreadable { get; set; }

    /// <summary>Whether connections are refused.</summary>
    public bool IsDown { get; set; }

    public ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken ct)
    {
        if (IsDown)
        {
            throw new IOException("the scripted broker is down");
        }
        (DuplexStream client, DuplexStream ours) = DuplexStream.Pair();
        _connections.Add(ours);
        _ = ServeAsync(ours);
        return ValueTask.FromResult<Stream>(client);
    }

    public void Disconnect()
    {
        _connections.ForEach(static connection => connection.Dispose());
        _connections.Clear();
    }

    public void ForgetProducers() => _producers.Clear();

    /// <summary>Loses the last batches, and what is known of producers there; leads on under a new epoch.</summary>
    public void LoseTail(int batches)
    {
        LeaderEpoch++;
        List<(byte[] Batch, BatchHeader Header)> kept = _log[..^batches];
        _log.Clear();
        _producers.Clear();
        foreach ((byte[] batch, BatchHeader header) in kept)
        {
            _log.Add((batch, header));
            _producers[header.ProducerId] = (header.ProducerEpoch, header.LastSequence, header.BaseOffset, header.BaseSequence);
        }
    }

    /// <summary>Drops all that it has so far, as retention does.</summary>
    public void DropAll()
    {
        StartOffset = EndOffset;
        _dropped += _log.Count;
    }

    /// <summary>Every record that carries a position, in order; also those that were dropped.</summary>
    /// <param name="topic">Only of this topic; null = of all.</param>
    public List<(RecordPosition Position, byte[] Value)> Records(string? topic = null)
    {
        List<(RecordPosition, byte[])> records = [];
        using var decoder = new BatchDecoder();
        foreach ((byte[] batch, BatchHeader header) in _log.Where(batch => topic is null || _topics[batch.Header.BaseOffset] == topic))
        {
            var reader = new RecordReader(decoder.Records(batch, header), header);
            while (reader.Read())
            {
                if (reader.TryGetHeader(PositionHeaders.Position, out ReadOnlySpan<byte> value) && RecordPosition.TryRead(value, out RecordPosition position))
                {
                    records.Add((position, reader.Value.ToArray()));
                }
            }
        }
        return records;
    }

    /// <summary>Every batch with its topic, in order.</summary>
    public IEnumerable<(string Topic, byte[] Batch, BatchHeader Header)> Log => _log.Select(batch => (_topics[batch.Header.BaseOffset], batch.Batch, batch.Header));

    /// <summary>The files that the records' headers name.</summary>
    public List<string> FileHeaders()
    {
        SortedSet<string> files = new(StringComparer.Ordinal);
        using var decoder = new BatchDecoder();
        foreach ((byte[] batch, BatchHeader header) in _log)
        {
            var reader = new RecordReader(decoder.Records(batch, header), header);
            while (reader.Read())
            {
                if (reader.TryGetHeader(PositionHeaders.File, out ReadOnlySpan<byte> value))
                {
                    files.Add(System.Text.Encoding.UTF8.GetString(value));
                }
            }
        }
        return [.. files];
    }

    private async Task ServeAsync(DuplexStream connection)
    {
        try
        {
            byte[] size = new byte[4];
            while (true)
            {
                await connection.ReadExactlyAsync(size);
                byte[] frame = new byte[System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(size)];
                await connection.ReadExactlyAsync(frame);
                if (Held is Task held)
                {
                    await held;
                }
                using FrameBuffer? answer = Answer(frame);
                if (answer is null)
                {
                    Disconnect();
                    return;
                }
                await connection.WriteAsync(FlatFrame.Of(answer));
            }
        }
        catch (IOException)
        {
            connection.Dispose();
        }
    }

    private FrameBuffer? Answer(byte[] frame)
    {
        RequestHeader header = Frames.ReadRequestHeader(frame, out int size);
        ReadOnlyMemory<byte> body = frame.AsMemory(size);
        Asked[header.Key] = Asked.GetValueOrDefault(header.Key) + 1;
        return Drops(header.Key) ? null : header.Key switch
        {
            ApiKey.ApiVersions => Reply(ApiVersionsRequest.Api, header, Versions()),
            ApiKey.Metadata => Reply(
                MetadataRequest.Api, header, Metadata(Frames.ReadRequest<MetadataRequest, MetadataResponse>(body, header.Version))),
            ApiKey.InitProducerId => Reply(
                InitProducerIdRequest.Api, header, new InitProducerIdResponse { ProducerId = _nextProducerId++, ProducerEpoch = 0 }),
            ApiKey.ListOffsets => Reply(ListOffsetsRequest.Api, header, Offsets(Frames.ReadRequest<ListOffsetsRequest, ListOffsetsResponse>(body, header.Version))),
            ApiKey.OffsetForLeaderEpoch => Reply(
                OffsetForLeaderEpochRequest.Api,
                header,
                EpochEnd(Frames.ReadRequest<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(body, header.Version))),
            ApiKey.DescribeProducers => Reply(
                DescribeProducersRequest.Api,
                header,
                Producers(Frames.ReadRequest<DescribeProducersRequest, DescribeProducersResponse>(body, header.Version))),
            ApiKey.Fetch => Reply(FetchRequest.Api, header, Fetch(Frames.ReadRequest<FetchRequest, FetchResponse>(body, header.Version))),
            ApiKey.Produce => Produce(Frames.ReadRequest<ProduceRequest, ProduceResponse>(body, header.Version), out ProduceResponse? produced)
                ? Reply(ProduceRequest.Api, header, produced!)
                : null,
            _ => null,
        };
    }

    private static FrameBuffer Reply<T>(Api api, RequestHeader header, T body)
        where T : class, IWireStruct => Frames.Response(api, body, header.Version, header.CorrelationId);

    private ApiVersionsResponse Versions()
    {
        var response = new ApiVersionsResponse();
        foreach ((ApiKey key, short max) in new (ApiKey, short)[]
        {
            (ApiKey.ApiVersions, 3), (ApiKey.Metadata, 12), (ApiKey.InitProducerId, 4), (ApiKey.ListOffsets, 7), (ApiKey.DescribeProducers, 0),
            (ApiKey.Fetch, 12), (ApiKey.Produce, 9), (ApiKey.OffsetForLeaderEpoch, 4),
        })
        {
            if (key == ApiKey.DescribeProducers && HidesProducers)
            {
                continue;
            }
            response.ApiKeys.Add(new() { ApiKey = (short)key, MinVersion = 0, MaxVersion = max });
        }
        return response;
    }

    private MetadataResponse Metadata(MetadataRequest request) => new()
    {
        ClusterId = ClusterId,
        ControllerId = 1,
        Brokers = [new() { NodeId = 1, Host = "scripted", Port = 9092 }],
        Topics =
        [
            .. (request.Topics ?? []).Where(topic => HasTopic(topic.Name!)).Select(topic => new MetadataResponse.Topic
            {
                Name = topic.Name,
                TopicId = TopicId,
                Partitions =
                [
                    .. Enumerable.Range(0, Partitions).Select(i => new MetadataResponse.Topic.Partition
                    {
                        PartitionIndex = i, LeaderId = 1, LeaderEpoch = LeaderEpoch, ReplicaNodes = [1], IsrNodes = [1],
                    }),
                ],
            }),
        ],
    };

    private ListOffsetsResponse Offsets(ListOffsetsRequest request)
    {
        bool isStart = request.Topics[0].Partitions[0].Timestamp == -2;
        long offset = isStart ? StartOffset : EndOffset;
        if (isStart)
        {
            Began?.Invoke();
        }
        return new() { Topics = [new() { Name = request.Topics[0].Name, Partitions = [new() { Offset = offset, LeaderEpoch = LeaderEpoch }] }] };
    }

    private OffsetForLeaderEpochResponse EpochEnd(OffsetForLeaderEpochRequest request)
    {
        int asked = request.Topics[0].Partitions[0].LeaderEpoch;
        long end = _log.FirstOrDefault(b => b.Header.LeaderEpoch > asked) is { Batch: not null } next ? next.Header.BaseOffset : EndOffset;
        return new() { Topics = [new() { Name = request.Topics[0].Name, Partitions = [new() { LeaderEpoch = asked, EndOffset = end }] }] };
    }

    private DescribeProducersResponse Producers(DescribeProducersRequest request) => new()
    {
        Topics =
        [
            new()
            {
                Name = request.Topics[0].Name,
                Partitions =
                [
                    new()
                    {
                        ActiveProducers = [.. _producers.Select(p => new DescribeProducersResponse.Topic.Partition.ActiveProducer
                        {
                            ProducerId = p.Key, ProducerEpoch = p.Value.Epoch, LastSequence = p.Value.LastSequence,
                        })],
                    },
                ],
            },
        ],
    };

    private FetchResponse Fetch(FetchRequest request)
    {
        long offset = request.Topics[0].Partitions[0].FetchOffset;
        byte[] bytes = [.. _log.Skip(_dropped).Where(b => b.Header.NextOffset > offset).Take(2).SelectMany(b => b.Header.ProducerId == Unreadable ? Recoded(b.Batch) : b.Batch)];
        return new FetchResponse
        {
            Responses = [new() { Topic = request.Topics[0].Name, Partitions = [new() { HighWatermark = EndOffset, Records = new RecordSet(bytes) }] }],
        };
    }

    private static byte[] Recoded(byte[] batch)
    {
        const int Attributes = 22;
        byte[] recoded = [.. batch];
        recoded[Attributes] |= 7;
        return recoded;
    }

    private bool Produce(ProduceRequest request, out ProduceResponse? response)
    {
        byte[] batch = request.TopicData[0].PartitionData[0].Records.Memory.ToArray();
        Assert.True(BatchHeader.TryParse(batch, out BatchHeader header));
        Assert.True(RecordBatch.CrcIsValid(batch));
        response = null;
        bool isFence = header is { RecordCount: 1, ProducerEpoch: > 0 };
        ProduceFate fate = isFence ? ProduceFate.Take : HasRefusedValue(batch, header) ? ProduceFate.Refuse : Fate(header);
        if (fate == ProduceFate.DropConnection)
        {
            return false;
        }
        ErrorCode error = Refusal;
        int partition = request.TopicData[0].PartitionData[0].Index;
        long baseOffset = -1;
        if (fate != ProduceFate.Refuse)
        {
            PartitionsUsed.Add(partition);
            _topics[EndOffset] = request.TopicData[0].Name;
            (error, baseOffset) = Append(batch, header);
            Fences += isFence && error == ErrorCode.None ? 1 : 0;
        }
        response = new ProduceResponse
        {
            Responses = [new() { Name = request.TopicData[0].Name, PartitionResponses = [new() { Index = partition, ErrorCode = error, BaseOffset = baseOffset }] }],
        };
        return fate != ProduceFate.TakeThenDropConnection;
    }

    private bool HasRefusedValue(byte[] batch, in BatchHeader header)
    {
        using var decoder = new BatchDecoder();
        var reader = new RecordReader(decoder.Records(batch, header), header);
        while (RefusedValue is not null && reader.Read())
        {
            if (System.Text.Encoding.UTF8.GetString(reader.Value) == RefusedValue)
            {
                return true;
            }
        }
        return false;
    }

    private (ErrorCode Error, long BaseOffset) Append(byte[] batch, in BatchHeader header)
    {
        if (_producers.TryGetValue(header.ProducerId, out (short Epoch, int LastSequence, long BaseOffset, int BaseSequence) known))
        {
            if (header.ProducerEpoch < known.Epoch)
            {
                return (ErrorCode.InvalidProducerEpoch, -1);
            }
            if (header.ProducerEpoch == known.Epoch)
            {
                // As Apache Kafka after a restart: the window is one batch.
                if (header.BaseSequence == known.BaseSequence && header.LastSequence == known.LastSequence)
                {
                    return (ErrorCode.None, known.BaseOffset);
                }
                if (header.BaseSequence != RecordBatch.Sequence(known.LastSequence, 1))
                {
                    return (ErrorCode.OutOfOrderSequenceNumber, -1);
                }
            }
        }
        long offset = EndOffset;
        RecordBatch.Stamp(batch, offset, LeaderEpoch);
        Assert.True(BatchHeader.TryParse(batch, out BatchHeader stamped));
        _log.Add((batch, stamped));
        if (header.ProducerId < 0)
        {
            return (ErrorCode.None, offset);
        }
        _producers[header.ProducerId] = (header.ProducerEpoch, header.LastSequence, offset, header.BaseSequence);
        return (ErrorCode.None, offset);
    }
}
