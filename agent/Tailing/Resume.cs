using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Finds the generations of the last run again, under whatever name, and proves that they hold what was read. What the configuration wants
/// no more is not followed, whatever the registry says.
/// </summary>
internal sealed class Resume(
    PathRules rules, FileProbe probe, FileTable table, FileHandles handles, FileLives lives, MissedRotations missed, MovedDirectories moved, Archives archives, PackedFiles packed, Tailer tailer, Generations generations, AgentState state,
    ILogger logger)
{
    private readonly Lazy<List<InflightEntry>> _kept = new(() => [.. state.FoundWhole]);

    public async Task RunAsync()
    {
        Dictionary<FileIdentity, string> present = Present();
        List<TailedFile> found = [];
        List<TailedFile> gone = [];
        List<Generation> unwanted = [];
        Dictionary<Generation, Archived> archived = [];
        missed.Note();
        // All files must be known before the first is examined; otherwise one could be taken for a copy of another.
        foreach (Generation generation in generations.All)
        {
            if (generation.Phase == GenerationPhase.Gone)
            {
                continue;
            }
            if (rules.InputOf(generation) is not InputOptions input)
            {
                unwanted.Add(generation);
                generation.UnwantedSince = missed.SinceOf(generation);
                continue;
            }
            if (present.TryGetValue(generation.Identity, out string? path))
            {
                found.Add(Follow(generation, input, path));
            }
            else if (probe.IsUnlisted(generation.Path))
            {
                // Where it is cannot be told yet.
                Doubt(table.Add(generation, input));
            }
            else if (Elsewhere(generation, present) is FileIdentity identity)
            {
                generations.Identify(generation, identity);
                found.Add(Follow(generation, input, generation.Path));
            }
            else if (moved.Find(generation) is string there)
            {
                found.Add(Follow(generation, input, there));
            }
            else if (generation.Phase != GenerationPhase.Finished)
            {
                gone.Add(table.Add(generation, input));
            }
        }
        lives.IsResuming = true;
        foreach (TailedFile file in found)
        {
            await NoteArchiveAsync(file, TryProve);
        }
        foreach (TailedFile file in gone)
        {
            await NoteArchiveAsync(file, lives.Gone);
        }
        lives.IsResuming = false;
        lives.NoteProved();
        await UntilUnpackedAsync(() => missed.Begin(archived));
        foreach (TailedFile file in table.Files)
        {
            file.Generation.UnwantedSince = 0;
        }
        HashSet<string> inUse = [.. table.Files.Select(static file => file.Generation.Path)];
        archives.ForgetBut(inUse);
        unwanted.RemoveAll(static generation => generation.IsOver);
        // What this configuration does not want the next one may: a packed file may be all that is left of a deleted one.
        packed.ForgetBut([.. inUse, .. unwanted.Select(packed.PathOf)]);
        Tell(unwanted);

        // What was not read of a file that is cut or gone may be in an archive, and the state directory too full to unpack it now.
        Task NoteArchiveAsync(TailedFile file, Func<TailedFile, Archived?> find) => UntilUnpackedAsync(() =>
        {
            if (find(file) is Archived archive)
            {
                archived.Add(file.Generation, archive);
            }
        });
    }

    /// <summary>Unpacks archives, again while the state directory is full or one of them is still being written.</summary>
    private Task UntilUnpackedAsync(Action unpack) => state.Pause.UntilDoneAsync(async () =>
    {
        for (string told = ""; ;)
        {
            try
            {
                unpack();
                return;
            }
            catch (ArchiveGrowsException growing)
            {
                if (growing.Path != told)
                {
                    logger.ArchiveGrows(told = growing.Path);
                }
                await state.Pause.MomentAsync();
            }
        }
    });

    private void Tell(List<Generation> unwanted)
    {
        foreach (IGrouping<string, Generation> topic in unwanted.GroupBy(static g => g.Topic).OrderBy(static g => g.Key, StringComparer.Ordinal))
        {
            if (!rules.HasTemplates && !rules.Topics.Contains(topic.Key))
            {
                logger.Unfollowed(topic.Key, topic.Count());
                continue;
            }
            foreach (string path in topic.Select(static g => g.FirstPath).Distinct().Order(StringComparer.Ordinal))
            {
                logger.Unwanted(path, topic.Key);
            }
        }
    }

    /// <summary>All files in the directories that are or were looked into, also behind links.</summary>
    private Dictionary<FileIdentity, string> Present()
    {
        SortedSet<string> directories = new(StringComparer.Ordinal);
        Dictionary<FileIdentity, string> present = [];
        if (!generations.All.Any(static generation => generation.Phase != GenerationPhase.Gone))
        {
            return present; // nothing is sought, as at an agent's first start
        }
        foreach ((string path, _) in rules.Find(probe, directories))
        {
            Note(path, present);
        }
        archives.Places = [.. directories];
        SortedSet<string> paths = new(StringComparer.Ordinal);
        foreach (Generation generation in generations.All)
        {
            if (generation.Phase != GenerationPhase.Gone && paths.Add(generation.Path))
            {
                directories.Add(FileProbe.DirectoryOf(generation.Path));
                directories.Add(FileProbe.DirectoryOf(probe.RealPath(generation.Path)));
            }
        }
        foreach (string directory in directories)
        {
            foreach (DirectoryEntry entry in probe.List(directory))
            {
                if (!entry.IsDirectory)
                {
                    Note(Path.Combine(directory, entry.Name), present);
                }
            }
        }
        return present;
    }

    private void Note(string path, Dictionary<FileIdentity, string> present)
    {
        if (probe.Stat(path) is FileStatus { Kind: FileKind.Regular } status)
        {
            present.TryAdd(FileIdentity.Of(status), path);
        }
    }

    /// <summary>
    /// The identity of the file that a generation goes on in though its own is nowhere: its volume's number has changed, or another program wrote the
    /// file anew and renamed it to the path. Inode and time of birth together are proof enough, else the content is.
    /// </summary>
    private FileIdentity? Elsewhere(Generation generation, Dictionary<FileIdentity, string> present)
    {
        if (probe.Stat(generation.Path) is not FileStatus { Kind: FileKind.Regular } status)
        {
            return null;
        }
        FileIdentity identity = FileIdentity.Of(status);
        if (generations.LastOf(identity, generation.Topic) is not null || !present.ContainsKey(identity))
        {
            return null;
        }
        bool isSameInode = identity.Inode == generation.Identity.Inode && identity.BirthTime == generation.Identity.BirthTime && identity.BirthTime != 0;
        using IFile? file = isSameInode ? null : probe.Open(generation.Path);
        return isSameInode || (file is not null && ContentCheck.Continues(file, generation, () => CrashCut.IsSame(generations.LivesOf(generation), file, _kept.Value)))
            ? identity : null;
    }

    private TailedFile Follow(Generation generation, InputOptions input, string path)
    {
        if (path != generation.Path)
        {
            lives.Rename(generation, path);
        }
        TailedFile file = table.Add(generation, input);
        table.Link(file, probe.RealPath(path));
        return file;
    }

    /// <summary>Holds a file that was found against what was read of it. Returns the archive that holds that where the file was cut, if there is one.</summary>
    private Archived? TryProve(TailedFile file)
    {
        try
        {
            return Prove(file);
        }
        catch (IOException e) when (e is not UnpackRefusedException)
        {
            Doubt(file);
            probe.Failed(file.Generation.Path, e.Message);
            return null;
        }
    }

    private Archived? Prove(TailedFile file)
    {
        if (handles.Of(file) is not IFile handle)
        {
            Doubt(file);
            return null;
        }
        FileStatus status = probe.Stat(file.Generation.Path) ?? handle.Status(); // deleted while this start waits for its archive
        // The tail alone may lie within a line that another one begun since is like.
        if (!ContentCheck.Holds(handle, file.Generation)
            || !(ContentCheck.IsHeadKnown(file.Generation) || CrashCut.IsSame(generations.LivesOf(file.Generation), handle, _kept.Value)))
        {
            return lives.Cut(file);
        }
        if (file.Generation.Read.Position > 0 && !ContentCheck.BeginsWith(handle, file.Generation.Seen))
        {
            file.Generation.Seen = default; // a crash of the host took lines that were not read yet
        }
        tailer.Check(file, status);
        if (file.Unread <= 0)
        {
            handles.Close(file);
        }
        else
        {
            handles.GiveBack(file);
        }
        return null;
    }

    private void Doubt(TailedFile file)
    {
        file.Doubt();
        table.Classify(file);
    }
}
