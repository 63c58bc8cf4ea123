using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Simulation.Checks;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Machines;
using LogPipeline.Simulation.Network;

namespace LogPipeline.Simulation.Parts;

/// <summary>
/// An idempotent producer as Java's and librdkafka are, into a topic of its own: up to five batches in flight, each sent again under
/// its sequence until its fate is known. It takes DUPLICATE_SEQUENCE_NUMBER for success, splits a batch that is too large (Java) or
/// gives it up (librdkafka), and where its sequences do not fit goes on under the next epoch. Every few batches it is a new producer.
/// </summary>
internal sealed class ForeignProducer
{
    public const string Topic = "orders";
    public const string ClientId = "foreign";
    public const int BatchBytesMax = 1500;

    private const int InFlightMax = 5;

    private readonly SimNetwork _network;
    private readonly ForeignLedger _ledger;
    private readonly TimeSpan _until;
    private readonly bool _splits;

    public ForeignProducer(Machine machine, SimNetwork network, ForeignLedger ledger, TimeSpan until)
    {
        (_network, _ledger, _until) = (network, ledger, until);
        _splits = machine.World.Chance(0.5);
        Part = new Part(machine, machine.Name, RunAsync);
    }

    public Part Part { get; }

    private async Task RunAsync(Life life)
    {
        var options = new ClientOptions
        {
            Bootstrap = [$"{BrokerPart.Host}:{BrokerPart.Port}"],
            ClientId = ClientId,
            RequestTimeout = TimeSpan.FromSeconds(10),
        };
        ForeignSession? session = null;
        while (life.World.Now < _until || session is not null)
        {
            try
            {
                await using BrokerConnection connection = await BrokerConnection.OpenAsync(
                    new BrokerEndpoint(BrokerPart.Host, BrokerPart.Port),
                    options,
                    new SimConnector(_network, life),
                    life.Time,
                    life.Stopping);
                if (await TopicAsync(connection, life) is not { } topicId)
                {
                    await PauseAsync(life);
                    continue;
                }
                while (life.World.Now < _until || session is not null)
                {
                    session ??= await BeginAsync(connection, life);
                    await SendAllAsync(connection, topicId, session, life);
                    session = null;
                    await PauseAsync(life);
                }
            }
            catch (OperationCanceledException) when (life.Stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is IOException or OperationCanceledException)
            {
                session?.ConnectionLost();
                await PauseAsync(life);
            }
        }
        await Task.Delay(Timeout.InfiniteTimeSpan, life.Time); // a life that ends would be begun anew
    }

    private async Task<ForeignSession> BeginAsync(BrokerConnection connection, Life life)
    {
        InitProducerIdResponse init = await connection.SendAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new InitProducerIdRequest(), life.Stopping);
        return new ForeignSession(_ledger, life, init.ProducerId, init.ProducerEpoch, life.Random.Next(3, 15), _splits);
    }

    // Until the fate of every batch of the session is known.
    private static async Task SendAllAsync(BrokerConnection connection, Guid topicId, ForeignSession session, Life life)
    {
        var inFlight = new Queue<(ForeignBatch Batch, Task<ProduceResponse> Answer)>();
        while (!session.IsOver)
        {
            while (inFlight.Count < InFlightMax && session.Next(inFlight.Count) is { } batch)
            {
                batch.IsInFlight = true;
                inFlight.Enqueue((batch, SendAsync(connection, topicId, session.Encode(batch), life)));
            }
            (ForeignBatch answered, Task<ProduceResponse> answer) = inFlight.Dequeue();
            ErrorCode error = (await answer).Responses[0].PartitionResponses[0].ErrorCode;
            session.Answered(answered, error);
            if (error is not (ErrorCode.None or ErrorCode.MessageTooLarge))
            {
                await PauseAsync(life);
            }
        }
    }

    private static Task<ProduceResponse> SendAsync(BrokerConnection connection, Guid topicId, byte[] batch, Life life) =>
        connection.SendAsync<ProduceRequest, ProduceResponse>(
            new ProduceRequest
            {
                Acks = -1,
                TimeoutMs = 10_000,
                TopicData = [new() { Name = Topic, TopicId = topicId, PartitionData = [new() { Index = 0, Records = new(batch) }] }],
            },
            life.Stopping);

    private static Task PauseAsync(Life life) => Task.Delay(TimeSpan.FromMilliseconds(life.Random.Next(1, 400)), life.Time);

    private static async Task<Guid?> TopicAsync(BrokerConnection connection, Life life)
    {
        await connection.SendAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new CreateTopicsRequest
            {
                Topics =
                [
                    new()
                    {
                        Name = Topic,
                        NumPartitions = 1,
                        ReplicationFactor = 1,
                        Configs = [new() { Name = "max.message.bytes", Value = $"{BatchBytesMax}" }],
                    },
                ],
            },
            life.Stopping);
        MetadataResponse metadata = await connection.SendAsync<MetadataRequest, MetadataResponse>(
            new MetadataRequest { Topics = [new() { Name = Topic }] }, life.Stopping);
        return metadata.Topics[0].ErrorCode == ErrorCode.None ? metadata.Topics[0].TopicId : null;
    }
}
