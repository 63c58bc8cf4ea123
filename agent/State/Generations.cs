namespace LogPipeline.Agent.State;

/// <summary>The generations by id, by the file that they are and by the path that they were first seen at, and how acks move them.</summary>
internal sealed class Generations
{
    private readonly Registry _registry;
    private readonly Dictionary<ulong, Generation> _byId = [];
    private readonly Dictionary<(string FirstPath, string Topic), Generation> _latest = [];
    private readonly Dictionary<FileIdentity, List<Generation>> _lives = [];
    private (long DeadLetters, long LostBytes)? _losses;

    public Generations(Registry registry)
    {
        _registry = registry;
        foreach (Generation generation in registry.Generations)
        {
            Index(generation);
        }
    }

    public IReadOnlyList<Generation> All => _registry.Generations;

    /// <summary>Records in the dead-letter file, and bytes cut before they were read, of all generations; added up when something was acked or cut since.</summary>
    public (long DeadLetters, long LostBytes) Losses =>
        _losses ??= (All.Sum(static generation => generation.DeadLetters.Records), All.Sum(static generation => generation.TruncatedBytes));

    public Generation? Find(ulong id) => _byId.GetValueOrDefault(id);

    /// <summary>The newest generation first seen at a path.</summary>
    public Generation? LatestAt(string firstPath, string topic) =>
        _latest.GetValueOrDefault((firstPath, topic));

    /// <summary>The last generation that a file has been for a topic; null when it is not known.</summary>
    public Generation? LastOf(FileIdentity identity, string topic) => _lives.GetValueOrDefault(identity)?.FindLast(g => g.Topic == topic);

    /// <summary>The last generation that a file has been, of those that are asked for; null when it is not known.</summary>
    public Generation? LastOf(FileIdentity identity, Predicate<Generation> isAskedFor) => _lives.GetValueOrDefault(identity)?.FindLast(isAskedFor);

    /// <summary>The generations that a file has been for a topic, oldest first, up to one.</summary>
    public List<Generation> LivesOf(Generation last) =>
        [.. (_lives.GetValueOrDefault(last.Identity) ?? []).Where(g => g != last && g.Topic == last.Topic), last];

    public void Add(Generation generation)
    {
        _registry.Add(generation);
        Index(generation);
    }

    /// <summary>A generation goes on in another file, and with it all that the file was before.</summary>
    public void Identify(Generation last, FileIdentity identity)
    {
        if (last.Identity == identity)
        {
            return;
        }
        foreach (Generation life in LivesOf(last))
        {
            RemoveLife(life);
            life.Identity = identity;
            AddLife(life);
        }
    }

    /// <summary>Bytes of a generation are known to have been cut before they were read.</summary>
    public void Lost(Generation generation, long bytes)
    {
        generation.TruncatedBytes += bytes;
        _losses = null;
    }

    public void Forget(Predicate<Generation> over)
    {
        HashSet<Generation> gone = [.. _registry.Generations.Where(g => over(g))];
        if (gone.Count == 0)
        {
            return;
        }
        _losses = null;
        foreach (Generation generation in gone)
        {
            _byId.Remove(generation.Id);
            if (LatestAt(generation.FirstPath, generation.Topic) == generation)
            {
                _latest.Remove((generation.FirstPath, generation.Topic));
            }
            RemoveLife(generation);
        }
        _registry.Remove(gone);
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
        _losses = null;
        foreach (EntryRange range in entry.Ranges)
        {
            if (Find(range.Generation) is Generation generation && range.End.Position > generation.Acked.Position)
            {
                generation.Advance(range);
            }
        }
    }

    private void Index(Generation generation)
    {
        _losses = null;
        _byId.Add(generation.Id, generation);
        // One that was missed may be noticed only after the file that came later.
        if (generation.Phase == GenerationPhase.Live || LatestAt(generation.FirstPath, generation.Topic) is not { Phase: GenerationPhase.Live })
        {
            _latest[(generation.FirstPath, generation.Topic)] = generation;
        }
        AddLife(generation);
    }

    private void AddLife(Generation generation)
    {
        if (!_lives.TryGetValue(generation.Identity, out List<Generation>? lives))
        {
            _lives[generation.Identity] = lives = [];
        }
        lives.Add(generation);
    }

    private void RemoveLife(Generation generation)
    {
        if (_lives.TryGetValue(generation.Identity, out List<Generation>? lives) && lives.Remove(generation) && lives.Count == 0)
        {
            _lives.Remove(generation.Identity);
        }
    }
}
