using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Fetching;

// KIP-227: a client names its partitions once, later requests carry changes only, and answers only what has news. _lock guards all
// members; two connections using one session are told apart by the epoch, which rises with every request.
/// <summary>What one client reads.</summary>
internal sealed class FetchSession(int id, bool byTopicId)
{
    private readonly Lock _lock = new();
    private readonly List<FetchPartition> _inOrder = [];
    private readonly Dictionary<FetchKey, FetchPartition> _byKey = [];
    private int _epoch = 1;

    public int Id => id;

    /// <summary>Whether its requests name topics by id.</summary>
    public bool ByTopicId => byTopicId;

    /// <summary>When it was last used; guarded by the owner of all sessions.</summary>
    public long LastUsed { get; set; }

    /// <summary>Its partitions, as they were last counted; guarded by the owner of all sessions.</summary>
    public int Counted { get; set; }

    /// <summary>How many partitions it remembers.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _inOrder.Count;
            }
        }
    }

    /// <summary>Takes a request's changes if its epoch is the expected one, and returns the partitions to read, in turn.</summary>
    public bool TryUpdate(FetchRequest request, out IReadOnlyList<FetchPartition> partitions)
    {
        lock (_lock)
        {
            if (request.SessionEpoch != _epoch)
            {
                partitions = [];
                return false;
            }
            _epoch = _epoch == int.MaxValue ? 1 : _epoch + 1;
            Forget(request);
            Add(request);
            partitions = [.. _inOrder];
            return true;
        }
    }

    /// <summary>Takes the partitions of the request that opens the session.</summary>
    public IReadOnlyList<FetchPartition> Begin(FetchRequest request)
    {
        lock (_lock)
        {
            Add(request);
            return [.. _inOrder];
        }
    }

    /// <summary>
    /// Notes what is told to the client and returns the news: data, errors, moved watermarks. Partitions that got data are read last
    /// next time.
    /// </summary>
    public List<FetchedPartition> News(IReadOnlyList<FetchedPartition> read, bool all)
    {
        lock (_lock)
        {
            var news = new List<FetchedPartition>();
            var served = new List<FetchPartition>();
            foreach (FetchedPartition partition in read)
            {
                FetchPartition asked = partition.Asked;
                bool moved = asked.ToldHighWatermark != partition.Answer.HighWatermark
                    || asked.ToldLogStartOffset != partition.Answer.LogStartOffset;
                if (!all && !moved && !partition.HasNews)
                {
                    continue;
                }
                news.Add(partition);
                asked.ToldHighWatermark = partition.IsError ? -1 : partition.Answer.HighWatermark;
                asked.ToldLogStartOffset = partition.IsError ? -1 : partition.Answer.LogStartOffset;
                if (partition.Answer.Records.Length > 0 && !asked.IsLeavingPlace && _byKey.GetValueOrDefault(asked.Key) == asked)
                {
                    asked.IsLeavingPlace = true;
                    served.Add(asked);
                }
            }
            RemoveLeaving(served.Count);
            served.ForEach(static partition => partition.IsLeavingPlace = false);
            _inOrder.AddRange(served);
            return news;
        }
    }

    private void Forget(FetchRequest request)
    {
        int forgettable = 0;
        foreach (FetchRequest.ForgottenTopic topic in request.ForgottenTopicsData)
        {
            foreach (int number in topic.Partitions)
            {
                if (_byKey.Remove(new FetchKey(topic.Topic, topic.TopicId, number), out FetchPartition? forgotten))
                {
                    forgotten.IsLeavingPlace = true;
                    forgettable++;
                }
            }
        }
        RemoveLeaving(forgettable);
    }

    /// <summary>Takes the marked partitions out of the order in one pass, however many there are.</summary>
    private void RemoveLeaving(int count)
    {
        if (count > 0)
        {
            _inOrder.RemoveAll(static partition => partition.IsLeavingPlace);
        }
    }

    private void Add(FetchRequest request)
    {
        foreach (FetchRequest.Topic topic in request.Topics)
        {
            foreach (FetchRequest.Topic.Partition asked in topic.Partitions)
            {
                if (_byKey.TryGetValue(new FetchKey(topic.Name, topic.TopicId, asked.Index), out FetchPartition? known))
                {
                    known.Update(asked);
                    continue;
                }
                FetchPartition added = FetchPartition.Of(topic, asked);
                _byKey.Add(added.Key, added);
                _inOrder.Add(added);
            }
        }
    }
}
