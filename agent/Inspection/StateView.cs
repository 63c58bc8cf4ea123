using LogPipeline.Agent.State;
using LogPipeline.Agent.Status;
using LogPipeline.Contract.Reports;
using LogPipeline.Files;

namespace LogPipeline.Agent.Inspection;

/// <summary>What a state directory says, whether its agent runs or not: read without the lock, and nothing is written.</summary>
internal sealed class StateView
{
    private StateView(Registry registry, Generations generations) => (Registry, Generations) = (registry, generations);

    public Registry Registry { get; }

    public Generations Generations { get; }

    /// <summary>Reads the directory; empty when no agent has used it yet.</summary>
    /// <exception cref="IOException">It cannot be read, or is damaged, or of another version.</exception>
    public static StateView Load(IFileSystem files, string directory)
    {
        Registry registry;
        try
        {
            registry = Registry.Load(files, directory, out _) ?? new Registry();
        }
        catch (StateDamagedException damaged)
        {
            throw new IOException($"{directory}: {damaged.Message}", damaged);
        }
        InflightContents contents = registry.AgentId == Guid.Empty ? new InflightContents() : InflightContents.Load(files, directory, onlyLooks: true);
        registry.Apply(contents.Notes);
        var generations = new Generations(registry);
        foreach (InflightEntry entry in contents.Entries.Values)
        {
            if (!entry.IsAgain)
            {
                generations.Restore(entry);
            }
            if (entry.IsAcked)
            {
                generations.Advance(entry);
            }
        }
        return new StateView(registry, generations);
    }

    /// <summary>The files that are not over, as the registry and the disk show them, those that are most behind first.</summary>
    public AgentReport Report(AgentOptions options, IFileSystem files) => new()
    {
        AgentId = Registry.AgentId.ToString(),
        Host = options.Host,
        StateDirectory = options.StateDirectory,
        Files = [.. Generations.All.Where(static generation => !generation.IsOver).Select(generation => Of(generation, files))
            .OrderByDescending(static file => file.LagBytes).ThenBy(static file => file.Path, StringComparer.Ordinal)],
    };

    /// <summary>A generation, and the size of the file that it is where that can be told.</summary>
    public static FileReport Of(Generation generation, IFileSystem files)
    {
        FileReport report = AgentReporter.Of(generation);
        FileStatus? status = PathLook.TryStat(files, generation.Path);
        bool isThere = status is { Kind: FileKind.Regular } found && FileIdentity.Of(found) == generation.Identity;
        long size = isThere ? status!.Value.Length : report.Acked;
        return report with
        {
            Size = size,
            LagBytes = Math.Max(0, size - report.Acked),
            State = generation.IsOver ? FileStates.Over : !isThere ? FileStates.Waiting : size > report.Acked ? FileStates.Reading : FileStates.Current,
            Reason = generation.IsOver || isThere ? null : "it is not where it was last seen",
        };
    }
}
