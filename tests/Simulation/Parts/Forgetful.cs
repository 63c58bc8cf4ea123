using LogPipeline.Broker;
using LogPipeline.Broker.Partitions;
using LogPipeline.Protocol;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Storage.Producers;

namespace LogPipeline.Simulation.Parts;

/// <summary>
/// Makes our broker remember as little as Apache Kafka does: after a restart one batch of each producer, perhaps none; repeats of
/// older batches are out of order; and perhaps it does not tell its producers.
/// </summary>
internal sealed class Forgetful(World world, bool forgetsProducers)
{
    private readonly bool _hidesProducers = world.Chance(0.3);

    public void Forget(BrokerCore core)
    {
        if (_hidesProducers)
        {
            core.Withdraw(ApiKey.DescribeProducers);
        }
        bool all = forgetsProducers && world.Chance(0.2);
        world.Trace.Say(null, $"the broker forgets {(all ? "its producers" : "all but the last batch of its producers")}");
        foreach (Partition partition in core.Topics.All.SelectMany(static topic => topic.Partitions))
        {
            ProducerTable table = partition.Log!.ProducerTable;
            table.OldRepeat = ErrorCode.OutOfOrderSequenceNumber;
            foreach (ProducerEntry entry in table.Entries.ToArray())
            {
                table.Remove(entry.ProducerId);
                if (!all)
                {
                    table.Add(entry.ProducerId, entry.Epoch, entry.Last);
                }
            }
        }
    }
}
