using LogPipeline.Files;

namespace LogPipeline.Agent.State;

/// <summary>
/// Who the agent is, what it knows of files and logs. The file <c>registry</c> is a snapshot of it, replaced whole: write a temporary
/// file, fsync, rename, fsync the directory. What changes afterwards stands in the in-flight files, as <see cref="RegistryNote"/>s.
/// Frames of <see cref="StateWriter"/>, in this order:
/// <code>
///   RegistryHeader  version u8 = 2, agent id 16, machine id, boot id, next entry number i64, next note number i64 (since version 2),
///                   count u32 + inputs started
///   Generation*     Log*
///   RegistryEnd     generations i32, logs i32: the file is whole
/// </code>
/// A registry that is not whole is no registry: nothing is guessed from a part of it. Its copy has the same bytes, or is one snapshot behind after
/// a crash, and the notes of both snapshots are still there.
/// </summary>
internal sealed class Registry
{
    public const string FileName = "registry";
    public const string CopyName = FileName + ".copy";

    private const byte Version = 2;

    public Guid AgentId { get; init; }

    public string MachineId { get; init; } = "";

    public string BootId { get; set; } = "";

    /// <summary>Entries up to this number, exclusive, were written before: fewer in the in-flight file means damage.</summary>
    public long NextEntry { get; set; } = 1;

    /// <summary>Notes from this number on are not in the snapshot.</summary>
    public long NextNote { get; set; } = 1;

    /// <summary>What is not durable yet.</summary>
    public RegistryChanges Changes { get; } = new();

    /// <summary>Patterns that had their first start, each behind its topic; <c>read_from: end</c> is over for them.</summary>
    public SortedSet<string> InputsStarted { get; init; } = new(StringComparer.Ordinal);

    public List<Generation> Generations { get; init; } = [];

    public List<LogRecord> Logs { get; init; } = [];

    public void Add(Generation generation)
    {
        Generations.Add(generation);
        generation.Changes = Changes;
        Changes.Add(generation);
    }

    public void Remove(IReadOnlySet<Generation> gone)
    {
        Generations.RemoveAll(gone.Contains);
        foreach (Generation generation in gone)
        {
            generation.Changes = null;
            Changes.Forget(generation.Id);
        }
    }

    /// <summary>Brings the snapshot up to what was noted after it; from then on changes are marked.</summary>
    public void Apply(IEnumerable<RegistryNote> notes)
    {
        Dictionary<ulong, int> places = Generations.Index().ToDictionary(static at => at.Item.Id, static at => at.Index);
        HashSet<ulong> forgotten = [];
        foreach (RegistryNote note in notes.Where(note => note.Number >= NextNote))
        {
            NextNote = note.Number + 1;
            if (note.Generation is null)
            {
                forgotten.Add(note.Id);
            }
            else if (places.TryGetValue(note.Id, out int place))
            {
                Generations[place] = note.Generation;
            }
            else
            {
                places.Add(note.Id, Generations.Count);
                Generations.Add(note.Generation);
            }
        }
        Generations.RemoveAll(generation => forgotten.Contains(generation.Id));
        Generations.ForEach(generation => generation.Changes = Changes);
    }

    public void Write(StateWriter to)
    {
        to.Begin(FrameKind.RegistryHeader);
        to.Byte(Version);
        to.Guid(AgentId);
        to.String(MachineId);
        to.String(BootId);
        to.Int64(NextEntry);
        to.Int64(NextNote);
        to.Int32(InputsStarted.Count);
        foreach (string input in InputsStarted)
        {
            to.String(input);
        }
        to.End();
        foreach (Generation generation in Generations)
        {
            to.Begin(FrameKind.Generation);
            generation.Write(to);
            to.End();
        }
        foreach (LogRecord log in Logs)
        {
            to.Begin(FrameKind.Log);
            log.Write(to);
            to.End();
        }
        to.Begin(FrameKind.RegistryEnd);
        to.Int32(Generations.Count);
        to.Int32(Logs.Count);
        to.End();
    }

    /// <exception cref="StateDamagedException">It is not whole.</exception>
    public static Registry Read(ReadOnlySpan<byte> bytes)
    {
        Registry? registry = null;
        while (true)
        {
            if (StateReader.TryFrame(bytes, out FrameKind kind, out ReadOnlySpan<byte> payload, out int size) != FrameResult.Frame)
            {
                throw new StateDamagedException("the registry ends before its end mark, or a checksum is wrong");
            }
            var reader = new StateReader(payload);
            if (registry is null && kind != FrameKind.RegistryHeader)
            {
                throw new StateDamagedException("the registry has no header");
            }
            switch (kind)
            {
                case FrameKind.RegistryHeader:
                    registry = ReadHeader(ref reader);
                    break;
                case FrameKind.Generation:
                    registry!.Generations.Add(Generation.ReadFrom(ref reader));
                    break;
                case FrameKind.Log:
                    registry!.Logs.Add(LogRecord.ReadFrom(ref reader));
                    break;
                case FrameKind.RegistryEnd when reader.Int32() == registry!.Generations.Count && reader.Int32() == registry.Logs.Count:
                    return registry;
                default:
                    throw new StateDamagedException($"the registry holds a frame of kind {(byte)kind} where none belongs");
            }
            bytes = bytes[size..];
        }
    }

    /// <summary>The registry of a state directory, or its copy where the file is damaged or missing; null when there is neither.</summary>
    /// <param name="files">Where the directory is.</param>
    /// <param name="directory">The state directory.</param>
    /// <param name="damage">What is wrong with the file, where the copy is returned; else null.</param>
    /// <exception cref="StateDamagedException">Neither is whole.</exception>
    public static Registry? Load(IFileSystem files, string directory, out string? damage)
    {
        damage = null;
        string copy = Path.Combine(directory, CopyName);
        try
        {
            if (Load(files, Path.Combine(directory, FileName)) is Registry found)
            {
                return found;
            }
            damage = files.FileExists(copy) ? "the registry is missing" : null;
            return Load(files, copy);
        }
        catch (StateDamagedException damaged) when (damage is null && files.FileExists(copy))
        {
            damage = damaged.Message;
            return Load(files, copy);
        }
    }

    /// <summary>Null when there is none.</summary>
    /// <exception cref="StateDamagedException">It is there and not whole.</exception>
    public static Registry? Load(IFileSystem files, string path)
    {
        if (!files.FileExists(path))
        {
            return null;
        }
        using IFile file = files.Open(path, FileOpenMode.Read);
        byte[] bytes = new byte[file.Length];
        return Read(bytes.AsSpan(0, file.ReadFully(bytes, 0)));
    }

    private static Registry ReadHeader(ref StateReader reader)
    {
        byte version = reader.Byte();
        if (version is not (1 or Version))
        {
            throw new StateVersionException(
                $"The agent's registry is of version {version}; this agent knows versions 1 to {Version}. Use the agent that wrote it, or a new state directory.");
        }
        var registry = new Registry
        {
            AgentId = reader.Guid(),
            MachineId = reader.String(),
            BootId = reader.String(),
            NextEntry = reader.Int64(),
            NextNote = version == 1 ? 1 : reader.Int64(),
        };
        for (int inputs = reader.Int32(); inputs > 0; inputs--)
        {
            AddStarted(reader.String(), registry.InputsStarted);
        }
        return registry;
    }

    /// <summary>Earlier versions noted all paths of an input behind one topic; each pattern stands for itself now.</summary>
    private static void AddStarted(string key, SortedSet<string> started)
    {
        started.Add(key);
        int space = key.IndexOf(" /", StringComparison.Ordinal);
        foreach (string path in space < 0 ? [] : key[(space + 1)..].Split(" /"))
        {
            started.Add($"{key[..space]} /{path.TrimStart('/')}");
        }
    }
}
