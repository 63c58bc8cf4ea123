using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Finds the files that a pattern matches. Only a name with wildcards needs its directory to be listed: an exact path is asked for itself,
/// since it may lie where nothing may be listed. Below <c>**</c> each directory is entered once, by its real path before any link, so
/// that a link to an ancestor neither repeats files nor leads on without end.
/// </summary>
/// <param name="probe">The disk.</param>
/// <param name="paths">Where paths that match are added.</param>
/// <param name="directories">Where the directories are added that they were looked for in.</param>
internal sealed class GlobWalk(FileProbe probe, ISet<string> paths, ISet<string> directories)
{
    /// <summary>Whether a path matched, be it one that was there before.</summary>
    public bool HasFound { get; private set; }

    public void Collect(GlobPattern pattern) => Enter(pattern.Segments, "/");

    private void Enter(ReadOnlySpan<string> segments, string directory)
    {
        switch (segments[0])
        {
            case "**":
                Descend(segments, directory);
                break;
            case string name when GlobPattern.IsWild(name):
                Match(segments, directory);
                break;
            case string name when segments.Length > 1:
                Enter(segments[1..], Path.Combine(directory, name));
                break;
            case string name:
                directories.Add(directory);
                string path = Path.Combine(directory, name);
                if (probe.Stat(path) is { Kind: not FileKind.Directory })
                {
                    Found(path);
                }
                break;
        }
    }

    private void Match(ReadOnlySpan<string> segments, string directory)
    {
        bool isLast = segments.Length == 1;
        if (isLast)
        {
            directories.Add(directory);
        }
        foreach (DirectoryEntry entry in probe.List(directory))
        {
            if (entry.IsDirectory == isLast || !GlobPattern.Matches(segments[0], entry.Name))
            {
                continue;
            }
            string path = Path.Combine(directory, entry.Name);
            if (isLast)
            {
                Found(path);
            }
            else
            {
                Enter(segments[1..], path);
            }
        }
    }

    private void Found(string path)
    {
        HasFound = true;
        paths.Add(path);
    }

    /// <summary><c>**</c>: any directory from this one down whose name is not hidden.</summary>
    private void Descend(ReadOnlySpan<string> segments, string top)
    {
        HashSet<(string FileSystem, ulong Inode)> entered = [];
        Queue<string> real = new([top]);
        Queue<string> links = [];
        while (real.TryDequeue(out string? directory) || links.TryDequeue(out directory))
        {
            if (probe.Stat(directory) is not FileStatus { Kind: FileKind.Directory } status || !entered.Add((status.FileSystem, status.Inode)))
            {
                continue;
            }
            if (segments.Length == 1)
            {
                Match(["*"], directory);
            }
            else
            {
                Enter(segments[1..], directory);
            }
            foreach (DirectoryEntry entry in probe.List(directory))
            {
                if (entry.IsDirectory && entry.Name[0] != '.')
                {
                    (entry.IsLink ? links : real).Enqueue(Path.Combine(directory, entry.Name));
                }
            }
        }
    }
}
