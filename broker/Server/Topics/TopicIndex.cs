namespace LogPipeline.Broker.Topics;

/// <summary>The topics at one moment, by name and by id.</summary>
internal sealed class TopicIndex
{
    private readonly Dictionary<string, Topic> _byName;
    private readonly Dictionary<Guid, Topic> _byId;

    public TopicIndex(IEnumerable<Topic> topics)
    {
        All = [.. topics.OrderBy(topic => topic.Name, StringComparer.Ordinal)];
        _byName = All.ToDictionary(topic => topic.Name, StringComparer.Ordinal);
        _byId = All.ToDictionary(topic => topic.Id);
    }

    public static TopicIndex Empty { get; } = new([]);

    public IReadOnlyList<Topic> All { get; }

    public Topic? Find(string name) => _byName.GetValueOrDefault(name);

    public Topic? Find(Guid id) => _byId.GetValueOrDefault(id);
}
