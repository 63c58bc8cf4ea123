using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Files that had a wanted name only between two looks. One that lies under another name begins as if a look had found it in time; one that is
/// gone is told and counted.
/// </summary>
internal sealed class PassingFiles(PathRules rules, FileProbe probe, FileTable table, NewFiles news, TimeProvider time, AgentMetrics metrics, ILogger logger)
{
    /// <summary>Names of files that were missed and told; of more the counter tells.</summary>
    private const int ToldMax = 1000;

    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private readonly NameHistory _history = new(
        path => rules.Topics.Any(topic => rules.InputOf(path, topic) is not null),
        path => rules.Topics.Any(topic => table.At(path, topic) is not null),
        time);

    /// <summary>Whether changes of names were missed since the last look at all files, which sets it back.</summary>
    public bool HasForgotten
    {
        get => _history.HasForgotten;
        set => _history.HasForgotten = value;
    }

    /// <summary>Notes what a watch saw.</summary>
    public void Note(in NameChange change) => _history.Note(change);

    /// <summary>The watch has missed something.</summary>
    public void Forget() => _history.Forget();

    /// <summary>A look begins: it begins what passed. The look itself then finds under which name each file is.</summary>
    public void Begin()
    {
        if (!_history.HasChanges)
        {
            return;
        }
        List<string> gone = [];
        foreach (PassingFile file in _history.Apply(gone))
        {
            try
            {
                if (probe.Stat(file.Path) is FileStatus { Kind: FileKind.Regular } status)
                {
                    Begin(file, status);
                }
            }
            catch (IOException refused)
            {
                probe.Failed(file.Path, refused.Message);
            }
        }
        metrics.MissedFiles.Add(gone.Count);
        foreach (string path in gone)
        {
            if (_told.Count < ToldMax && _told.Add(path))
            {
                logger.Missed(path);
            }
        }
    }

    /// <summary>The look is over.</summary>
    public void End() => _history.Seen(path => probe.Stat(path) is not null || IsDanglingLink(path));

    /// <summary>A name that leads nowhere is seen all the same: when it is removed, no file is missed.</summary>
    private bool IsDanglingLink(string path) =>
        probe.List(FileProbe.DirectoryOf(path)).Any(entry => entry.IsLink && entry.Name == Path.GetFileName(path));

    private void Begin(PassingFile file, FileStatus status)
    {
        foreach (string topic in rules.Topics)
        {
            if (rules.InputOf(file.Origin, topic) is InputOptions input && rules.InputOf(file.Path, topic) is null
                && table.With(FileIdentity.Of(status), topic) is null)
            {
                news.See(new Sighting(file.Origin, input, status, table.At(file.Origin, topic), NameNow: file.Path));
                if (table.With(FileIdentity.Of(status), topic) is TailedFile begun)
                {
                    begun.SeenIn = -1; // the look is yet to see it, and renames it then
                }
            }
        }
    }
}
