using System.Threading.Channels;
using Confluent.Kafka;

namespace LogPipeline.Interop.Librdkafka;

/// <summary>What happened to a member: partitions came, partitions went, or a record was read (its value, and no partitions).</summary>
internal sealed record MemberEvent(string Member, MemberEventKind Kind, int[] Partitions, string? Value = null);

internal enum MemberEventKind
{
    Assigned,
    Revoked,
    Read,
}

/// <summary>A member of a group with the cooperative assignor, polled by a thread of its own; disposing it leaves the group.</summary>
internal sealed class PolledMember : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _polling;

    public PolledMember(string address, string group, string topic, string name, ChannelWriter<MemberEvent> events)
    {
        IConsumer<Ignore, string> consumer = new ConsumerBuilder<Ignore, string>(new ConsumerConfig
        {
            BootstrapServers = address,
            GroupId = group,
            ClientId = name,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
            HeartbeatIntervalMs = 100,
        })
            .SetPartitionsAssignedHandler((_, came) => events.TryWrite(new MemberEvent(name, MemberEventKind.Assigned, [.. came.Select(p => p.Partition.Value)])))
            .SetPartitionsRevokedHandler((_, went) => events.TryWrite(new MemberEvent(name, MemberEventKind.Revoked, [.. went.Select(p => p.Partition.Value)])))
            .Build();
        consumer.Subscribe(topic);
        _polling = Task.Factory.StartNew(() => Poll(consumer, name, events), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _polling;
        _stop.Dispose();
    }

    private void Poll(IConsumer<Ignore, string> consumer, string name, ChannelWriter<MemberEvent> events)
    {
        using (consumer)
        {
            try
            {
                while (true)
                {
                    events.TryWrite(new MemberEvent(name, MemberEventKind.Read, [], consumer.Consume(_stop.Token).Message.Value));
                }
            }
            catch (OperationCanceledException)
            {
                consumer.Close(); // commits and leaves
            }
            catch (ConsumeException e)
            {
                events.TryComplete(e);
                throw;
            }
        }
    }
}
