using LogPipeline.Broker;
using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Topics;
using LogPipeline.Simulation.Checks;
using LogPipeline.Simulation.Workload;

namespace LogPipeline.Simulation.Parts;

/// <summary>
/// Deletes the topic as an administrator may, read or unread; the next client that asks for it makes it again. What was durable in it, so
/// that its ack was due, need not arrive; what was not must arrive in the new one.
/// </summary>
internal sealed class TopicDeletion(Story story)
{
    // Of the deletion that is under way; a crash may cut it, then the next start of the broker finishes it or not.
    private Guid _doomed;
    private List<int> _given = [];

    // What lost tails took: it was the topic's too, even if the topic goes before an agent sent it again.
    private readonly HashSet<int> _lost = [];

    /// <summary>Whether a topic was deleted in this run.</summary>
    public bool Happened { get; private set; }

    public void Begin()
    {
        if (story.Broker is not { Core: { } core, Part.Life: { } life } || core.Topics.Find(Story.Topic) is not { } topic)
        {
            return;
        }
        story.World.Trace.Say(null, "the topic is deleted");
        story.World.Schedule(TimeSpan.Zero, life, true, _ => Delete(core, topic), null);
    }

    /// <summary>Notes what the topic lost with a tail. An agent that has let go of acked batches, to make room on its disk, has none to send again.</summary>
    public void Lost(IEnumerable<TopicLine> lines)
    {
        List<int> ids = [.. lines.Select(static line => Line.IdAtStartOf(line.Value)).OfType<int>()];
        _lost.UnionWith(ids);
        Forget(story.Plan.DiskFull ? ids : []);
    }

    /// <summary>Notes a deletion that is complete.</summary>
    public void Look(BrokerCore core)
    {
        if (_doomed == Guid.Empty || core.Topics.Find(_doomed) is not null)
        {
            return;
        }
        _doomed = Guid.Empty;
        Happened = true;
        story.Acks.Clear();
        Forget(_given);
    }

    private void Forget(List<int> ids) => ids.ForEach(id => story.Lines[id].WasDeleted = true);

    private void Delete(BrokerCore core, Topic topic)
    {
        _doomed = topic.Id;
        _given = Given(topic);
        try
        {
            core.Topics.Delete(topic);
        }
        catch (IOException)
        {
            // The disk refused; an administrator is told so and may try again.
        }
        Look(core);
    }

    private List<int> Given(Topic topic)
    {
        var given = new List<int>(_lost);
        foreach (Partition partition in topic.Partitions)
        {
            foreach (TopicLine line in Delivery.LinesOf(partition.Number, story.Stored(partition.Number)))
            {
                if (line.Offset < partition.HighWatermark && Line.IdAtStartOf(line.Value) is { } id)
                {
                    given.Add(id);
                }
            }
        }
        return given;
    }
}
