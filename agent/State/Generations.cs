namespace LogPipeline.Agent.State;

/// <summary>The generations by id, and how acks move them.</summary>
internal sealed class Generations
{
    private readonly Registry _registry;
    private readonly Dictionary<ulong, Generation> _byId = [];
    private readonly Dictionary<(string FirstPath, string Topic), Generation> _latest = [];

    public Generations(Registry registry)
    {
        _registry = registry;
        foreach (Generation generation in registry.Generations)
        {
            _byId[generation.Id] = generation;
            _latest[(generation.FirstPath, generation.Topic)] = generation;
        }
    }

    public IReadOnlyList<Generation> All => _registry.Generations;

    public Generation? Find(ulong id) => _byId.GetValueOrDefault(id);

    /// <summary>The newest generation first seen at a path.</summary>
    public Generation? LatestAt(string firstPath, string topic) =>
        _latest.GetValueOrDefault((firstPath, topic));

    /// <summary>The last generation that a file has been; null when it is not known.</summary>
    public Generation? LastOf(FileIdentity identity, string topic) => All.LastOrDefault(g => g.Identity == identity && g.Topic == topic);

    /// <summary>The generations that a file has been, oldest first, up to one.</summary>
    public List<Generation> LivesOf(Generation last) =>
        [.. All.Where(g => g != last && g.Identity == last.Identity && g.Topic == last.Topic), last];

    public void Add(Generation generation)
    {
        _registry.Generations.Add(generation);
        _byId.Add(generation.Id, generation);
        _latest[(generation.FirstPath, generation.Topic)] = generation;
    }

    public void Forget(Predicate<Generation> over)
    {
        List<Generation> gone = _registry.Generations.FindAll(over);
        foreach (Generation generation in gone)
        {
            _byId.Remove(generation.Id);
            if (_latest.GetValueOrDefault((generation.FirstPath, generation.Topic)) == generation)
            {
                _latest.Remove((generation.FirstPath, generation.Topic));
            }
        }
        _registry.Generations.RemoveAll(gone.Contains);
    }

    /// <summary>What an entry holds is read: reading goes on behind it.</summary>
    public void Restore(InflightEntry entry)
    {
        foreach (EntryRange range in entry.Ranges)
        {
            if (Find(range.Generation) is Generation generation && range.End.Position > generation.Read.Position)
            {
                (generation.Read, generation.ReadTail) = (range.End, range.Tail);
            }
        }
    }

    /// <summary>What an entry holds is acked. An entry acked twice moves nothing the second time.</summary>
    public void Advance(InflightEntry entry)
    {
        foreach (EntryRange range in entry.Ranges)
        {
            if (Find(range.Generation) is Generation generation && range.End.Position > generation.Acked.Position)
            {
                (generation.Acked, generation.AckedTail) = (range.End, range.Tail);
                generation.DeadLetters += range.LeftOut;
            }
        }
    }
}
