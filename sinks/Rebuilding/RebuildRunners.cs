using System.Collections.Concurrent;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>The runners of the sinks that run in this process, by sink.</summary>
public sealed class RebuildRunners
{
    private readonly ConcurrentDictionary<string, RebuildRunner> _runners = new(StringComparer.Ordinal);

    public RebuildRunner? Find(string sink) => _runners.GetValueOrDefault(sink);

    public IDisposable Connect(string sink, RebuildRunner runner)
    {
        _runners[sink] = runner;
        return new Connection(_runners, sink, runner);
    }

    private sealed class Connection(ConcurrentDictionary<string, RebuildRunner> runners, string sink, RebuildRunner runner) : IDisposable
    {
        public void Dispose() => runners.TryRemove(KeyValuePair.Create(sink, runner));
    }
}
