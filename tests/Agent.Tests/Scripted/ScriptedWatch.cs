using LogPipeline.Agent.Tailing;

namespace LogPipeline.Agent.Tests.Scripted;

/// <summary>A watch that tells what the test lets it tell.</summary>
internal sealed class ScriptedWatch : IFileWatch
{
    public SortedSet<string> Watched { get; } = new(StringComparer.Ordinal);

    public Action<string?>? Hint { get; set; }

    public Action<NameChange>? Named { get; set; }

    public bool IsComplete => true;

    public void Watch(string directory) => Watched.Add(directory);

    public void Dispose()
    {
    }
}
