namespace LogPipeline.Agent.State;

/// <summary>
/// What of the registry is not durable yet. Generations mark themselves here when something changes that in-flight entries and the notes
/// of their acks do not tell.
/// </summary>
internal sealed class RegistryChanges
{
    private List<Generation> _generations = [];
    private List<ulong> _forgotten = [];

    /// <summary>Whether something changed for which there is no frame: the agent itself, its inputs, a log's producer id.</summary>
    public bool NeedsSnapshot { get; set; }

    public bool IsEmpty => !NeedsSnapshot && _generations.Count == 0 && _forgotten.Count == 0;

    /// <summary>How many generations changed.</summary>
    public int Count => _generations.Count;

    public void Add(Generation generation)
    {
        if (!generation.IsChanged)
        {
            generation.IsChanged = true;
            _generations.Add(generation);
        }
    }

    public void Forget(ulong generation) => _forgotten.Add(generation);

    /// <summary>Returns what changed, in order, and begins anew: the caller makes it durable.</summary>
    public (IReadOnlyList<Generation> Generations, IReadOnlyList<ulong> Forgotten) Take()
    {
        (List<Generation> generations, _generations) = (_generations, []);
        (List<ulong> forgotten, _forgotten) = (_forgotten, []);
        NeedsSnapshot = false;
        foreach (Generation generation in generations)
        {
            generation.IsChanged = false;
        }
        return (generations, forgotten);
    }
}
