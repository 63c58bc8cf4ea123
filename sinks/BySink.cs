using System.Collections.Concurrent;

namespace LogPipeline.Sinks;

/// <summary>What runs in this process for each of its sinks, so that what comes by the bus finds it.</summary>
public sealed class BySink<T> where T : class
{
    private readonly ConcurrentDictionary<string, T> _parts = new(StringComparer.Ordinal);

    /// <summary>The sink's; null where it does not run here.</summary>
    public T? Find(string sink) => _parts.GetValueOrDefault(sink);

    /// <summary>It is found until the result is disposed.</summary>
    public IDisposable Connect(string sink, T part)
    {
        _parts[sink] = part;
        return new Connection(_parts, sink, part);
    }

    private sealed class Connection(ConcurrentDictionary<string, T> parts, string sink, T part) : IDisposable
    {
        public void Dispose() => parts.TryRemove(KeyValuePair.Create(sink, part));
    }
}
