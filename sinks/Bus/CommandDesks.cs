using System.Collections.Concurrent;
using LogPipeline.Sinks.Commands;

namespace LogPipeline.Sinks.Bus;

/// <summary>The desks of the sinks that run in this process, by sink.</summary>
public sealed class CommandDesks
{
    private readonly ConcurrentDictionary<string, CommandDesk> _desks = new(StringComparer.Ordinal);

    public CommandDesk? Find(string sink) => _desks.GetValueOrDefault(sink);

    public IDisposable Connect(string sink, CommandDesk desk)
    {
        _desks[sink] = desk;
        return new Connection(_desks, sink, desk);
    }

    private sealed class Connection(ConcurrentDictionary<string, CommandDesk> desks, string sink, CommandDesk desk) : IDisposable
    {
        public void Dispose() => desks.TryRemove(KeyValuePair.Create(sink, desk));
    }
}
