using LogPipeline.Agent.State;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Finds files whose directory was renamed while the agent was away, or from which a link was switched:
/// <code>
///   logs/app.log             logs.old/app.log              a directory beside, with a name that a rotation gives
///   current/log/app.log      release-6/log/app.log         a directory beside the one to which the link current leads now
/// </code>
/// A file is known by its identity alone. Nobody named these directories, so that what cannot be looked at is no fault.
/// </summary>
internal sealed class MovedDirectories(IFileSystem files)
{
    /// <summary>The directories that may be what a directory was.</summary>
    private readonly Dictionary<string, List<string>> _candidates = new(StringComparer.Ordinal);

    /// <summary>Where a generation's file is now; null when it is in none of them.</summary>
    public string? Find(Generation generation)
    {
        string directory = FileProbe.DirectoryOf(generation.Path);
        if (!_candidates.TryGetValue(directory, out List<string>? candidates))
        {
            _candidates[directory] = candidates = [.. CandidatesOf(directory)];
        }
        string name = Path.GetFileName(generation.Path);
        return candidates.Select(candidate => Path.Combine(candidate, name)).FirstOrDefault(
            path => Try(() => files.Stat(path)) is FileStatus { Kind: FileKind.Regular } status && FileIdentity.Of(status) == generation.Identity);
    }

    private IEnumerable<string> CandidatesOf(string directory)
    {
        for (string moved = directory; moved.Length > 1; moved = FileProbe.DirectoryOf(moved))
        {
            string above = FileProbe.DirectoryOf(moved);
            string name = Path.GetFileName(moved);
            string real = RealPath(moved);
            bool isLink = real != Path.Combine(RealPath(above), name);
            string beside = isLink ? FileProbe.DirectoryOf(real) : above;
            foreach (DirectoryEntry entry in Try(() => files.List(beside)) ?? [])
            {
                if (entry.IsDirectory && (isLink || CopyNames.IsCopyOf(entry.Name, name)))
                {
                    yield return Path.Combine(beside, entry.Name) + directory[moved.Length..];
                }
            }
        }
    }

    private string RealPath(string path) => Try(() => files.RealPath(path)) ?? path;

    private static T? Try<T>(Func<T?> ask)
    {
        try
        {
            return ask();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }
}
