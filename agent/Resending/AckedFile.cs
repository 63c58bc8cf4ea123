using LogPipeline.Agent.Inspection;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Tailing;
using LogPipeline.Files;

namespace LogPipeline.Agent.Resending;

/// <summary>A generation, and its file by the name that it has now.</summary>
internal sealed record AckedFile(Generation Generation, string Path)
{
    /// <summary>
    /// The generations that a path stands for, one a topic: those of the file that it names now; where the agent knows none, or nothing is there,
    /// those that had the path, wherever their file is.
    /// </summary>
    /// <exception cref="ResendRefusedException">The agent knows none, or its file is nowhere.</exception>
    public static List<AckedFile> Find(IFileSystem files, FileProbe probe, Generations generations, string path)
    {
        FileIdentity? identity = PathLook.TryStat(files, path) is { Kind: FileKind.Regular } status ? FileIdentity.Of(status) : null;
        List<Generation> named = [.. LastOfEach(generations.All.Where(generation => generation.Identity == identity))];
        if (named.Count > 0)
        {
            return named.ConvertAll(generation => new AckedFile(generation, path));
        }
        List<Generation> before = [.. LastOfEach(generations.All.Where(generation => generation.Path == path || generation.FirstPath == path))];
        if (before.Count == 0)
        {
            throw new ResendRefusedException($"{path}: the agent's state knows nothing of it; logpipe-agent explain {path} says what there is");
        }
        return before.ConvertAll(generation => new AckedFile(generation, PlaceOf(generation, probe, path)));
    }

    private static IEnumerable<Generation> LastOfEach(IEnumerable<Generation> generations) =>
        generations.GroupBy(static generation => generation.Topic).Select(static topic => topic.Last());

    /// <summary>Its identity tells where it is now. A file of another identity, as after its volume was mounted anew, its content must prove.</summary>
    private static string PlaceOf(Generation generation, FileProbe probe, string path) =>
        probe.Find(generation.Identity, generation.Path) ?? probe.Find(generation.Identity, path)
        ?? (probe.Stat(generation.Path) is { Kind: FileKind.Regular } ? generation.Path
            : throw new ResendRefusedException($"{path}: the file is gone, and its lines with it; nothing is sent"));
}
