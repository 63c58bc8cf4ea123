using LogPipeline.Client;

namespace LogPipeline.Sinks.Verification.Outputs;

/// <summary>
/// Logs of which files may have rows whose records are no longer to be had: retention took them, the topic was deleted or lost its end, or nobody
/// knows how they were written.
/// </summary>
internal sealed class ShortenedLogs(bool areApart)
{
    private readonly HashSet<TopicPartition> _beginLater = [];
    private readonly HashSet<TopicPartition> _endEarlier = [];

    public bool IsEmpty => _beginLater.Count + _endEarlier.Count == 0;

    /// <summary>Rows of records before the first that is left come before all others of the log in each file.</summary>
    public void BeginsLater(TopicPartition log) => _beginLater.Add(log);

    public void EndsEarlier(TopicPartition log) => _endEarlier.Add(log);

    /// <summary>
    /// The logs behind whose first lines a stretch has no more rows without records; null where such rows may be anywhere in it. Empty where it has
    /// none at all.
    /// </summary>
    /// <param name="stretch">Of a file.</param>
    /// <param name="logs">By their ids.</param>
    public IReadOnlyList<int>? FirstOf(OutputStretch stretch, IReadOnlyDictionary<int, PinnedLog> logs)
    {
        Dictionary<TopicPartition, int> own = stretch.FirstLines.Keys.DistinctBy(id => logs[id].TopicPartition).ToDictionary(id => logs[id].TopicPartition);
        bool knowsAll = areApart && own.Count > 0; // then the file has rows of no other log
        TopicPartition[] later = [.. _beginLater.Where(log => !knowsAll || own.ContainsKey(log))];
        return _endEarlier.Any(log => !knowsAll || own.ContainsKey(log)) || later.Any(log => !own.ContainsKey(log)) ? null : [.. later.Select(log => own[log])];
    }
}
