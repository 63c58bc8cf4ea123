using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>Finds the generations of the last run again, under whatever name, and proves that they hold what was read.</summary>
internal sealed class FileResume(
    PathSet paths, FileBook book, FileLives lives, FileSweep sweep, Generations generations, AgentOptions options, ILogger logger)
{
    public void Run()
    {
        Dictionary<FileIdentity, string> present = Present();
        List<TailedFile> found = [];
        List<TailedFile> gone = [];
        // All files must be known before the first is examined; otherwise one could be taken for a copy of another.
        foreach (Generation generation in generations.All)
        {
            if (generation.Phase == GenerationPhase.Gone || InputOf(generation) is not InputOptions input)
            {
                continue;
            }
            if (present.TryGetValue(generation.Identity, out string? path))
            {
                found.Add(Follow(generation, input, path));
            }
            else if (book.IsUnlisted(generation.Path))
            {
                // Where it is cannot be told yet.
                book.Add(generation, input).IsUnproved = true;
            }
            else if (generation.Phase != GenerationPhase.Finished)
            {
                gone.Add(book.Add(generation, input));
            }
        }
        lives.IsResuming = true;
        found.ForEach(TryProve);
        gone.ForEach(lives.Gone);
        lives.IsResuming = false;
        lives.NoteProved();
        foreach (IGrouping<string, Generation> left in generations.All
            .Where(g => !g.IsOver && !options.Inputs.Any(i => i.Topic == g.Topic)).GroupBy(g => g.Topic).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            logger.Unfollowed(left.Key, left.Count());
        }
    }

    /// <summary>All files in the directories that are or were looked into.</summary>
    private Dictionary<FileIdentity, string> Present()
    {
        SortedSet<string> directories = new(StringComparer.Ordinal);
        paths.Look(book.List, directories);
        foreach (Generation generation in generations.All)
        {
            if (generation.Phase != GenerationPhase.Gone && Path.GetDirectoryName(generation.Path) is string directory)
            {
                directories.Add(directory);
            }
        }
        Dictionary<FileIdentity, string> present = [];
        foreach (string directory in directories)
        {
            foreach (DirectoryEntry entry in book.List(directory))
            {
                string path = Path.Combine(directory, entry.Name);
                if (!entry.IsDirectory && book.Stat(path) is FileStatus status)
                {
                    present.TryAdd(FileIdentity.Of(status), path);
                }
            }
        }
        return present;
    }

    private TailedFile Follow(Generation generation, InputOptions input, string path)
    {
        if (path != generation.Path && generation.Phase == GenerationPhase.Live)
        {
            logger.Rotated(generation.Path, path);
            lives.Enter(generation, GenerationPhase.Rotated);
        }
        else if (path != generation.Path && path == generation.FirstPath && generation.Phase != GenerationPhase.Live)
        {
            lives.Enter(generation, GenerationPhase.Live);
        }
        generation.Path = path;
        return book.Add(generation, input);
    }

    private void TryProve(TailedFile file)
    {
        try
        {
            Prove(file);
        }
        catch (IOException e)
        {
            file.IsUnproved = true;
            book.Failed(file.Generation.Path, e.Message);
        }
    }

    private void Prove(TailedFile file)
    {
        if (book.Stat(file.Generation.Path) is not FileStatus status || book.HandleOf(file) is not IFile handle)
        {
            file.IsUnproved = true;
            return;
        }
        if (!FileProof.Holds(handle, file.Generation))
        {
            lives.Cut(file);
            return;
        }
        sweep.Check(file, status);
        book.LetGo(file);
    }

    private InputOptions? InputOf(Generation generation) =>
        options.Inputs.FirstOrDefault(i =>
            i.Topic == generation.Topic && i.Paths.SelectMany(GlobPattern.Parse).Any(p => p.IsMatch(generation.FirstPath)))
        ?? options.Inputs.FirstOrDefault(i => i.Topic == generation.Topic);
}
