using LogPipeline.Agent.Inspection;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Tailing;
using LogPipeline.Files;

namespace LogPipeline.Agent.Resending;

/// <summary>A generation, and its file by the name that it has now.</summary>
/// <param name="Generation">The generation.</param>
/// <param name="Path">Its file, or the archive that it was compressed into.</param>
/// <param name="IsArchive">Whether it is compressed.</param>
internal sealed record AckedFile(Generation Generation, string Path, bool IsArchive = false)
{
    /// <summary>
    /// The generations that a path stands for, one a topic: those of the file that it names now, or that the archive holds which it names; where
    /// the agent knows none, or nothing is there, those that had the path, wherever their file is.
    /// </summary>
    /// <exception cref="ResendRefusedException">The agent knows none, or its file is nowhere.</exception>
    public static List<AckedFile> Find(IFileSystem files, FileProbe probe, Generations generations, string path)
    {
        FileIdentity? identity = PathLook.TryStat(files, path) is { Kind: FileKind.Regular } status ? FileIdentity.Of(status) : null;
        List<Generation> named = LastOfEach(generations.All.Where(generation => generation.Identity == identity));
        if (named.Count > 0)
        {
            return named.ConvertAll(generation => new AckedFile(generation, path));
        }
        List<Generation> packed = identity is null ? [] : LastOfEach(HeldBy(files, path, generations.All));
        if (packed.Count > 0)
        {
            return packed.ConvertAll(generation => new AckedFile(generation, path, IsArchive: true));
        }
        List<Generation> before = LastOfEach(generations.All.Where(generation => generation.Path == path || generation.FirstPath == path));
        if (before.Count == 0)
        {
            throw new ResendRefusedException($"{path}: the agent's state knows nothing of it; logpipe-agent explain {path} says what there is");
        }
        return before.ConvertAll(generation => Place(generation, files, probe, path));
    }

    /// <summary>Opens what the file holds.</summary>
    public IFile Open(IFileSystem files) => (IsArchive ? UnpackedFile.Open(files, Path) : null) ?? files.Open(Path, FileOpenMode.Read);

    private static List<Generation> LastOfEach(IEnumerable<Generation> generations) =>
        [.. generations.GroupBy(static generation => generation.Topic).Select(static topic => topic.Last())];

    /// <summary>Those of some generations whose acked lines an archive holds.</summary>
    private static List<Generation> HeldBy(IFileSystem files, string archive, IEnumerable<Generation> generations)
    {
        byte[] head = UnpackedFile.Head(files, archive);
        List<Generation> alike = [.. generations.Where(generation => generation.Head.Length > 0 && generation.Head.Length <= head.Length
            && Fingerprint.Of(head.AsSpan(0, generation.Head.Length)) == generation.Head)];
        if (alike.Count == 0)
        {
            return [];
        }
        using IFile? content = UnpackedFile.Open(files, archive);
        return content is null ? [] : alike.FindAll(generation => AckedRecords.Holds(content, generation));
    }

    /// <summary>
    /// Its identity tells where it is now; where it is gone, an archive beside the places that it had may hold it. A file of another identity, as after
    /// its volume was mounted anew, its content must prove.
    /// </summary>
    private static AckedFile Place(Generation generation, IFileSystem files, FileProbe probe, string path)
    {
        string? place = probe.Find(generation.Identity, generation.Path) ?? probe.Find(generation.Identity, path)
            ?? (probe.Stat(generation.Path) is { Kind: FileKind.Regular } ? generation.Path : null);
        if (place is not null)
        {
            return new AckedFile(generation, place);
        }
        IEnumerable<string> archives = new[] { path, generation.Path, generation.FirstPath }
            .SelectMany(name => new[] { FileProbe.DirectoryOf(name), FileProbe.DirectoryOf(probe.RealPath(name)) }).Distinct()
            .SelectMany(directory => probe.List(directory).Where(static entry => !entry.IsDirectory && ArchiveStream.IsNamedSo(entry.Name))
                .Select(entry => System.IO.Path.Combine(directory, entry.Name)));
        return archives.FirstOrDefault(archive => HeldBy(files, archive, [generation]).Count > 0) is string found
            ? new AckedFile(generation, found, IsArchive: true)
            : throw new ResendRefusedException($"{path}: the file is gone, and its lines with it; nothing is sent");
    }
}
