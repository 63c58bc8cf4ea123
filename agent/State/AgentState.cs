using System.Buffers.Binary;
using LogPipeline.Files;
using LogPipeline.Files.Waiting;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.State;

/// <summary>
/// The state directory: its lock, who the agent is, the registry and the in-flight files. Owned by the agent's loop; the
/// registry's changes are made durable by one loop that takes together all who wait.
/// </summary>
internal sealed class AgentState : IDisposable
{
    private const string AsideSuffix = ".aside";

    /// <summary>Written by the start itself.</summary>
    private const string LockFile = "lock";

    private const int NotesMin = 256; // so many changes are noted though the registry is small

    private readonly IFileSystem _files;
    private readonly AgentOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly IDisposable _lock;
    private readonly GroupedWrite _save;
    private readonly StateWriter _writer = new();
    private readonly StartMark _start;
    private bool _isStarting; // the mark is there
    private readonly AsyncLock _snapshot = new(); // is being replaced, by way of _writer
    private IReadOnlyCollection<InflightEntry> _foundReplaced = [];

    private AgentState(IFileSystem files, AgentOptions options, TimeProvider time, Random random, DiskPause pause, IDisposable held)
    {
        (_files, _options, _time, _random, _lock, Pause) = (files, options, time, random, held, pause);
        Inflight = new InflightFiles(files, options.StateDirectory, options, time, pause);
        _save = new GroupedWrite(SaveAsync, pause.Fatal);
        _start = new StartMark(files, options.StateDirectory);
        DeadLetters = new DeadLetterFile(files, Path.Combine(options.StateDirectory, "dead-letters"));
    }

    public DiskPause Pause { get; }

    public Registry Registry { get; private set; } = new();

    public InflightFiles Inflight { get; }

    public DeadLetterFile DeadLetters { get; }

    /// <summary>What was under way at the last stop, by number; each log takes its own.</summary>
    public IReadOnlyCollection<InflightEntry> Found { get; private set; } = [];

    /// <summary>All entries found at the start with their batches, replaced ones too: what was read recently, byte for byte.</summary>
    public IEnumerable<InflightEntry> FoundWhole => Found.Concat(_foundReplaced).Select(e => Inflight.ReadBack(e.Place));

    /// <summary>Whether entries may have been sent that are in no file any more.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>Whether the host was started anew since the last save, so that tailed files may have lost their end.</summary>
    public bool HostRestarted { get; private set; }

    /// <summary>When the snapshot of the registry now on disk was put together; in ticks of the time provider.</summary>
    public long SnapshotTime { get; private set; }

    public Guid AgentId => Registry.AgentId;

    public static AgentState Open(
        IFileSystem files, AgentOptions options, TimeProvider time, Random random, ILogger logger, DiskPause pause)
    {
        files.CreateDirectory(options.StateDirectory);
        IDisposable held = files.Lock(Path.Combine(options.StateDirectory, LockFile));
        try
        {
            var state = new AgentState(files, options, time, random, pause, held);
            state.Load(logger);
            return state;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Up to when the last run followed files: when it wrote its state for the last time, in nanoseconds since 1970.</summary>
    public long FollowedUntil { get; private set; }

    /// <summary>Whether a start came after that and was killed before it had found all files again: it has written the state too.</summary>
    public bool WasStartKilled { get; private set; }

    /// <summary>
    /// A start begins to write the state: keeps up to when files were followed before it, until <see cref="StartedAsync"/>. An agent that knows no files has none to find.
    /// </summary>
    public async Task StartingAsync()
    {
        _isStarting = WasStartKilled || Registry.Generations.Count > 0;
        if (_isStarting && !WasStartKilled)
        {
            await Pause.UntilDoneAsync(() => _start.Write(FollowedUntil));
        }
    }

    /// <summary>A start found all again: makes that durable, and then forgets up to when files were followed before it.</summary>
    public async Task StartedAsync()
    {
        if (_isStarting)
        {
            await SavedAsync();
            await Pause.UntilDoneAsync(_start.Remove);
            _isStarting = false;
        }
    }

    /// <summary>
    /// All files were compared with what was found, but for those that cannot be read: this start needs it no more.
    /// </summary>
    public void Resumed()
    {
        (Found, _foundReplaced) = ([], []);
        Inflight.SnapshotForRoom = SnapshotForRoomAsync;
    }

    /// <summary>
    /// All files were compared. Only now the registry may name this boot; a start that dies before must find the host restarted again.
    /// </summary>
    public void Compared()
    {
        Registry.BootId = _options.BootId;
        Registry.Changes.NeedsSnapshot = true;
    }

    /// <summary>Eight random bytes, not 0.</summary>
    public ulong NewGenerationId()
    {
        Span<byte> bytes = stackalloc byte[8];
        _random.NextBytes(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes) | 1;
    }

    public LogRecord LogOf(TopicPartitionKey key)
    {
        LogRecord? found = Registry.Logs.Find(l => l.Topic == key.Topic && l.Partition == key.Partition);
        if (found is null)
        {
            found = new LogRecord { Topic = key.Topic, Partition = key.Partition };
            Registry.Logs.Add(found);
        }
        return found;
    }

    /// <summary>Ends when all that changed in the registry before this call is durable.</summary>
    public Task SavedAsync() => _save.DoneAsync();

    /// <summary>Ends when a snapshot of the registry put together after this call is durable.</summary>
    public Task SnapshotAsync()
    {
        Registry.Changes.NeedsSnapshot = true;
        return _save.DoneAsync();
    }

    public void Dispose()
    {
        Inflight.Dispose();
        _lock.Dispose();
    }

    private string PathOf(string name) => Path.Combine(_options.StateDirectory, name);

    private void Load(ILogger logger)
    {
        long? followed = _start.Read(out bool isStartLost);
        if (isStartLost)
        {
            logger.StartMarkDamaged(PathOf(StartMark.FileName));
        }
        WasStartKilled = followed is not null;
        FollowedUntil = followed ?? LastWritten();
        // The process before may have died between a file's rename or making and this.
        _files.FlushDirectory(_options.StateDirectory);
        Registry? registry = null;
        string? lost = null;
        string? damage = null;
        try
        {
            registry = Registry.Load(_files, _options.StateDirectory, out damage);
            if (damage is not null)
            {
                logger.RegistryCopyUsed(_options.StateDirectory, damage);
            }
        }
        catch (StateDamagedException damaged)
        {
            lost = damaged.Message;
        }
        InflightContents contents = InflightContents.Load(_files, _options.StateDirectory);
        if (registry is null && lost is null && contents.Entries.Count > 0)
        {
            lost = "the registry is missing and in-flight entries are not";
        }
        if (registry is not null && registry.MachineId != _options.MachineId)
        {
            lost = "it was written on another machine";
            registry = null;
        }
        if (registry is null)
        {
            if (lost is not null)
            {
                logger.StateLost(_options.StateDirectory, lost);
                PutAside(contents, logger);
            }
            Span<byte> id = stackalloc byte[16];
            _random.NextBytes(id);
            Registry = new Registry { AgentId = new Guid(id, bigEndian: true), MachineId = _options.MachineId, BootId = _options.BootId };
            Registry.Changes.NeedsSnapshot = true;
            return;
        }
        HostRestarted = registry.BootId != _options.BootId || _options.BootId.Length == 0;
        Registry = new Registry
        {
            AgentId = registry.AgentId,
            MachineId = registry.MachineId,
            BootId = registry.BootId,
            InputsStarted = registry.InputsStarted,
            NextNote = registry.NextNote,
            Generations = registry.Generations,
            Logs = registry.Logs,
        };
        Registry.Changes.NeedsSnapshot = damage is not null;
        Registry.Apply(contents.Notes);
        contents.Expect(registry.NextEntry);
        if (contents.Damage is not null)
        {
            IsDamaged = true;
            logger.StateDamaged(contents.Damage);
        }
        Adopt(contents);
    }

    private long LastWritten() => _files.List(_options.StateDirectory)
        .Where(static entry => !entry.IsDirectory && entry.Name != LockFile && !entry.Name.StartsWith(StartMark.FileName, StringComparison.Ordinal))
        .Max(entry => _files.Stat(PathOf(entry.Name))?.ModifiedTime) ?? 0;

    private void Adopt(InflightContents contents)
    {
        Dictionary<ulong, Generation> generations = Registry.Generations.ToDictionary(g => g.Id);
        foreach (InflightEntry entry in contents.Entries.Values)
        {
            // The registry's acked position tells as well; only where a range was sent again it says nothing.
            entry.IsAcked |= !entry.IsAgain && entry.Ranges.Count > 0 && entry.Ranges.All(
                r => generations.TryGetValue(r.Generation, out Generation? g) && r.End.Position <= g.Acked.Position);
            if (!entry.IsAcked)
            {
                contents.Segments.Find(s => s.Id == entry.Place.Segment)!.Unacked++;
            }
        }
        Found = contents.Entries.Values;
        _foundReplaced = contents.Replaced;
        Inflight.NextNumber = contents.NextNumber;
        Inflight.DurableNumber = contents.NextNumber;
        Inflight.Adopt(contents.Segments, contents.Fences.Values);
    }

    private void PutAside(InflightContents contents, ILogger logger)
    {
        foreach (string name in contents.Segments.Select(s => $"{InflightFiles.Prefix}{s.Id:D8}").Append(Registry.FileName).Append(Registry.CopyName))
        {
            if (_files.FileExists(PathOf(name)))
            {
                _files.Rename(PathOf(name), PathOf(name + AsideSuffix));
            }
        }
        PutPackedAside(logger);
        _start.Remove();
        _files.FlushDirectory(_options.StateDirectory);
    }

    /// <summary>What is kept of deleted files is nowhere else, and nothing tells any more whose lines they are.</summary>
    private void PutPackedAside(ILogger logger)
    {
        string packed = PathOf(RestFolder.Packed);
        IReadOnlyList<DirectoryEntry> kept = _files.List(packed);
        if (kept.Count == 0)
        {
            return;
        }
        string aside = packed + AsideSuffix;
        _files.CreateDirectory(aside);
        foreach (DirectoryEntry file in kept)
        {
            _files.Rename(Path.Combine(packed, file.Name), Path.Combine(aside, file.Name));
        }
        _files.FlushDirectory(aside);
        logger.PackedAside(kept.Count, aside);
    }

    /// <summary>Notes what changed, or replaces the snapshot where that is less, or needed.</summary>
    private async Task SaveAsync()
    {
        RegistryChanges changes = Registry.Changes;
        if (changes.NeedsSnapshot || changes.Count > Math.Max(NotesMin, Registry.Generations.Count / 2))
        {
            await Pause.UntilDoneAsync(ReplaceSnapshotAsync);
        }
        else
        {
            await NoteAsync();
        }
    }

    private async Task NoteAsync()
    {
        (IReadOnlyList<Generation> changed, IReadOnlyList<ulong> forgotten) = Registry.Changes.Take();
        List<Generation> placed = [.. changed.Where(static generation => generation.Partition >= 0)];
        foreach (Generation generation in changed)
        {
            Inflight.Append(new RegistryNote(Registry.NextNote++, generation.Id, generation));
        }
        foreach (ulong id in forgotten)
        {
            Inflight.Append(new RegistryNote(Registry.NextNote++, id, null));
        }
        if (Inflight.HasPending)
        {
            await Inflight.DurableAsync();
        }
        placed.ForEach(static generation => generation.IsDurable = true);
    }

    /// <summary>Not by way of <see cref="SavedAsync"/>, which may wait for the write that asks for it.</summary>
    private async Task<long> SnapshotForRoomAsync()
    {
        await ReplaceSnapshotAsync();
        return SnapshotTime;
    }

    /// <summary>A snapshot that a disk refuses is put together anew.</summary>
    private async Task ReplaceSnapshotAsync()
    {
        await _snapshot.TakeAsync();
        try
        {
            long begun = _time.GetTimestamp();
            List<Generation> placed = Registry.Generations.FindAll(static generation => generation.Partition >= 0);
            Registry.Changes.Take();
            Registry.NextEntry = Inflight.DurableNumber;
            _writer.Clear();
            Registry.Write(_writer);
            await ReplaceAsync(PathOf(Registry.FileName));
            await ReplaceAsync(PathOf(Registry.CopyName));
            SnapshotTime = begun;
            placed.ForEach(static generation => generation.IsDurable = true);
        }
        finally
        {
            _snapshot.Release();
        }
    }

    private async Task ReplaceAsync(string path)
    {
        string temporary = path + AtomicFile.TemporarySuffix;
        using (IFile file = _files.Open(temporary, FileOpenMode.ReadWrite))
        {
            file.SetLength(0);
            file.Write(_writer.Written, 0);
            await file.FlushAsync();
        }
        _files.Rename(temporary, path);
        _files.FlushDirectory(_options.StateDirectory);
    }
}
