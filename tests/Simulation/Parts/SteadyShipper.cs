using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Contract;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Machines;
using LogPipeline.Simulation.Network;
using LogPipeline.Simulation.Workload;

namespace LogPipeline.Simulation.Parts;

/// <summary>
/// Stands in for an agent where broker and sink are to be seen alone: a process that never dies and sends one batch at a time
/// to one partition, again and again until it is acked.
/// </summary>
internal sealed class SteadyShipper
{
    private readonly SimNetwork _network;
    private readonly List<Line> _lines;
    private readonly int _partition;
    private readonly RecordBatchBuilder _builder = new(CompressionCodec.None, 4096);
    private readonly Guid _agentId;
    private readonly TimeSpan _until;
    private BrokerConnection? _connection;
    private long _producerId = -1;
    private short _epoch;
    private int _sequence;
    private long _position;

    public SteadyShipper(Machine machine, SimNetwork network, List<Line> lines, int partition, TimeSpan until)
    {
        _network = network;
        _lines = lines;
        _partition = partition;
        _until = until;
        Span<byte> id = stackalloc byte[16];
        machine.World.Random.NextBytes(id);
        _agentId = new Guid(id);
        Part = new Part(machine, $"shipper{partition}", RunAsync);
    }

    public Part Part { get; }

    /// <summary>Wraps its connections: where a planted fault sits.</summary>
    public Func<IConnector, IConnector> WrapConnector { get; set; } = static connector => connector;

    private async Task RunAsync(Life life)
    {
        var options = new ClientOptions { Bootstrap = [$"{BrokerPart.Host}:{BrokerPart.Port}"], RequestTimeout = TimeSpan.FromSeconds(10) };
        while (life.World.Now < _until)
        {
            Fill(life, life.Random.Next(1, 6));
            for (bool done = false; !done;)
            {
                try
                {
                    _connection ??= await BrokerConnection.OpenAsync(
                        new BrokerEndpoint(BrokerPart.Host, BrokerPart.Port), options, WrapConnector(new SimConnector(_network, life)), life.Time, life.Stopping);
                    done = await SendAsync(life);
                }
                catch (Exception error) when (error is IOException or OperationCanceledException)
                {
                    if (_connection is not null)
                    {
                        await _connection.DisposeAsync();
                        _connection = null;
                    }
                }
                await Task.Delay(TimeSpan.FromMilliseconds(life.Random.Next(1, 1000)), life.Time);
            }
        }
    }

    private void Fill(Life life, int count)
    {
        _builder.Reset();
        Span<byte> headers = stackalloc byte[256];
        Span<byte> encoded = stackalloc byte[RecordPosition.Size];
        for (int i = 0; i < count; i++)
        {
            Line line = Line.Make(_lines.Count, life.World.Random);
            _lines.Add(line);
            long end = _position + line.Bytes.Length + 1;
            int size = RecordHeaders.Write(headers, PositionHeaders.Host, "app"u8);
            size += RecordHeaders.Write(headers[size..], PositionHeaders.File, "/logs/app.log"u8);
            new RecordPosition(PositionFlags.None, _agentId, (ulong)_partition + 1, _position, _position, end, 0, true).Write(encoded);
            size += RecordHeaders.Write(headers[size..], PositionHeaders.Position, encoded);
            if (!_builder.TryAppend(life.Time.GetUtcNow().ToUnixTimeMilliseconds(), line.Bytes, 3, headers[..size]))
            {
                _lines.RemoveAt(_lines.Count - 1);
                return;
            }
            _position = end;
        }
    }

    private async Task<bool> SendAsync(Life life)
    {
        BrokerConnection connection = _connection!;
        Guid topicId = await TopicAsync(connection, life);
        if (topicId == default)
        {
            return false;
        }
        if (_producerId < 0)
        {
            InitProducerIdResponse init = await connection.SendAsync<InitProducerIdRequest, InitProducerIdResponse>(
                new InitProducerIdRequest(), life.Stopping);
            (_producerId, _epoch) = (init.ProducerId, init.ProducerEpoch);
        }
        var request = new ProduceRequest
        {
            Acks = -1,
            TimeoutMs = 10_000,
            TopicData =
            [
                new() { Name = Story.Topic, TopicId = topicId, PartitionData =
                    [new() { Index = _partition, Records = new(_builder.Build(_producerId, _epoch, _sequence)) }] },
            ],
        };
        ProduceResponse response = await connection.SendAsync<ProduceRequest, ProduceResponse>(request, life.Stopping);
        ErrorCode error = response.Responses[0].PartitionResponses[0].ErrorCode;
        if (error != ErrorCode.None)
        {
            life.World.Trace.Say(life.Part, $"produce: {error}");
            if (error is ErrorCode.OutOfOrderSequenceNumber or ErrorCode.DuplicateSequenceNumber or ErrorCode.InvalidProducerEpoch)
            {
                life.World.Fail("a producer sees no impossible error", $"{life.Part.Name}, sequence {_sequence}: {error}");
            }
            return false;
        }
        _sequence = RecordBatch.Sequence(_sequence, _builder.Count);
        return true;
    }

    private static async Task<Guid> TopicAsync(BrokerConnection connection, Life life)
    {
        MetadataResponse metadata = await connection.SendAsync<MetadataRequest, MetadataResponse>(
            new MetadataRequest { Topics = [new() { Name = Story.Topic }], AllowAutoTopicCreation = true }, life.Stopping);
        MetadataResponse.Topic topic = metadata.Topics[0];
        return topic.ErrorCode == ErrorCode.None ? topic.TopicId : default;
    }
}
