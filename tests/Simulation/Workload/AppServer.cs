using System.Globalization;
using LogPipeline.Files;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Machines;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation.Workload;

/// <summary>
/// A machine whose applications write logs, and whose logrotate renames, copies, truncates and deletes them. It knows of each
/// line where it stands, so it can say what must come out at the other end.
/// </summary>
internal sealed class AppServer
{
    public const string Logs = "/logs";

    /// <summary>How long an agent that is up may take to see a line's file and open it: its looks are up to 10 s apart where no hints come and the disk is slow.</summary>
    public static readonly TimeSpan SeenAfter = TimeSpan.FromSeconds(15);

    private readonly List<Line> _lines;
    private readonly List<LogFile> _rotated = [];

    /// <summary>Lines of deleted files that an agent holds open.</summary>
    private readonly List<Line> _held = [];

    private readonly LogFile[] _current;
    private readonly HashSet<int> _mine = [];
    private MemoryFileSystem _files;
    private readonly bool[] _rotating;
    private Dictionary<ulong, LogFile> _before = [];
    private readonly RotatedNames _names;
    private LogFile? _compressing;

    /// <param name="machine">Where.</param>
    /// <param name="lines">Of all servers: an id is a place in it.</param>
    /// <param name="streams">How many files are written at a time.</param>
    public AppServer(Machine machine, List<Line> lines, int streams)
    {
        Machine = machine;
        _lines = lines;
        _files = new MemoryFileSystem(machine.Disk);
        _files.CreateDirectory(Logs);
        _current = [.. Enumerable.Range(0, streams).Select(stream => new LogFile(_files, PathOf(stream), World.Now))];
        _rotating = new bool[streams];
        _names = new RotatedNames(Habits, _rotated);
        machine.LosingPower = LosingPower;
        machine.PowerLost = PowerLost;
    }

    public Machine Machine { get; }

    public WriterHabits Habits { get; } = new();

    /// <summary>Whether the agent has compared all files since the machine's boot, and its registry says so.</summary>
    public Func<bool> IsCompared { get; set; } = static () => false;

    /// <summary>Whether an agent is up, and has been for long enough to have opened all files that have something to read.</summary>
    public Func<bool> HoldsFiles { get; set; } = static () => false;

    /// <summary>Whether no agent is up, and the next one finds a file that is compressed now: one that the last agent had seen, or that was written to since.</summary>
    public Func<LogFile, bool> FindsArchive { get; set; } = static _ => false;

    /// <summary>Whether the agent may let go of what it read, to make room on its disk: then nothing proves a file that a crash cuts, and it may be read once more.</summary>
    public Func<bool> MayForget { get; set; } = static () => false;

    /// <summary>Whether an agent was ever ready.</summary>
    public Func<bool> WasReady { get; set; } = static () => false;

    /// <summary>Whether an agent became ready after a moment, or is about to.</summary>
    public Func<TimeSpan, bool> HasStartedAfter { get; set; } = static _ => false;

    /// <summary>Whether an agent is up that is not ready yet.</summary>
    public Func<bool> IsStarting { get; set; } = static () => false;

    private World World => Machine.World;

    /// <summary>Writes and rotates until <paramref name="until"/>.</summary>
    public void Run(TimeSpan until)
    {
        if (World.Now >= until)
        {
            return;
        }
        if (Machine.IsUp)
        {
            Act(World.Random.Next(_current.Length));
        }
        World.After(World.Between(TimeSpan.Zero, Habits.PauseMax), () => Run(until));
    }

    /// <summary>Ends what is half written: from here on nothing changes.</summary>
    public void Finish()
    {
        foreach (LogFile file in _current)
        {
            file.Finish();
        }
    }

    private void Act(int stream)
    {
        LogFile file = _current[stream];
        Append(file, World.Random.Next(1, Habits.LinesMax + 1));
        if (World.Chance(Habits.Sync))
        {
            file.Sync();
        }
        // A rotation in the midst of a start is rare, and may hide from it what it looks for.
        if (_rotating[stream] || (Habits.Compress > 0 && IsStarting()))
        {
            return;
        }
        if (World.Chance(Habits.Rename))
        {
            Rotate(stream);
        }
        else if (World.Chance(Habits.CopyTruncate))
        {
            CopyTruncate(stream);
        }
        else if (World.Chance(Habits.Truncate))
        {
            file.Truncate("truncated");
            World.Trace.Say(null, $"{Machine.Name}: {file.Path} truncated");
        }
        else if (World.Chance(Habits.Recreate))
        {
            file.Delete("deleted at once");
            World.Trace.Say(null, $"{Machine.Name}: {file.Path} deleted and made anew");
            _current[stream] = new LogFile(_files, file.Path, World.Now);
        }
        else if (Habits.Compress > 0 && World.Chance(Habits.Compress))
        {
            Compress(stream);
        }
        if (_rotated.Count > 0 && World.Chance(Habits.DeleteRotated))
        {
            LogFile oldest = _rotated[0];
            if (oldest == _compressing)
            {
                return;
            }
            _rotated.RemoveAt(0);
            World.Trace.Say(null, $"{Machine.Name}: {oldest.Path} deleted");
            DeleteRotated(oldest);
        }
    }

    /// <summary>An agent that was there in time holds the file open, and sends what it did not have yet; that ends with the agent.</summary>
    private void DeleteRotated(LogFile oldest)
    {
        bool isOpen = HoldsFiles() && World.Now - oldest.CopiedAt > SeenAfter;
        Line[] held = isOpen ? [.. oldest.Lines.Where(line => line.Least > 0 && World.Now - line.WrittenAt > SeenAfter)] : [];
        oldest.Delete("its rotated file was deleted");
        foreach (Line line in held)
        {
            line.Least = 1;
            _held.Add(line);
        }
    }

    /// <summary>
    /// The agent is gone, and what it held open. One that finds files by their current names alone may not have looked since the first line of a copy was written, and have read
    /// what its original got later: then nothing tells the next start of the copy.
    /// </summary>
    public void LetGo()
    {
        IEnumerable<LogFile> copies = _rotated.Where(copy => copy.CopiedAt > TimeSpan.Zero && copy.Lines.TrueForAll(line => World.Now - line.WrittenAt < SeenAfter));
        foreach (LogFile copy in Habits.IsFoundByCurrentName ? copies : [])
        {
            copy.NeedNotBeFound("was written, copied and cut just before the agent ended");
        }
        foreach (Line line in _held)
        {
            line.Least = 0;
        }
        _held.Clear();
    }

    private void Append(LogFile file, int count)
    {
        for (int i = 0; i < count; i++)
        {
            var line = Line.Make(_lines.Count, World.Random, World.Now);
            _lines.Add(line);
            _mine.Add(line.Id);
            bool carriageReturn = World.Chance(0.05);
            if (World.Chance(0.02))
            {
                file.AppendBlank();
            }
            if (World.Chance(Habits.Halves))
            {
                file.Finish();
                int half = World.Random.Next(1, line.Bytes.Length);
                file.AppendBytes(line.Bytes.AsSpan(0, half));
                // The rest comes with the next write of this file: nothing of another line may come between.
                file.Unfinished = (line, half, carriageReturn);
                return;
            }
            file.Append(line, carriageReturn);
        }
    }

    private void Rotate(int stream)
    {
        LogFile file = _current[stream];
        file.Finish();
        string to = _names.Next(file.Path);
        World.Trace.Say(null, $"{Machine.Name}: {file.Path} renamed to {to}");
        file.RenameTo(to);
        _rotated.Add(file);
        Rotated(file, isCopiedUnseen: false);
        _current[stream] = new LogFile(_files, PathOf(stream), World.Now);
        if (World.Chance(0.5))
        {
            _files.FlushDirectory(Logs);
        }
    }

    private void CopyTruncate(int stream)
    {
        LogFile file = _current[stream];
        file.Finish();
        string to = _names.Next(file.Path);
        World.Trace.Say(null, $"{Machine.Name}: {file.Path} copied to {to}, to be truncated");
        LogFile copy = file.CopyTo(to, World.Now);
        _rotated.Add(copy);
        int boot = Machine.BootCount;
        TimeSpan gap = World.Chance(0.5) ? TimeSpan.Zero : World.Between(TimeSpan.Zero, Habits.CopyGapMax);
        // logrotate is one process: nothing else happens to the file between copy and cut, but lines and power failures.
        _rotating[stream] = true;
        World.After(gap, () =>
        {
            _rotating[stream] = false;
            if (Machine.IsUp && Machine.BootCount == boot)
            {
                World.Trace.Say(null, $"{Machine.Name}: {file.Path} truncated after its copy");
                OnlyWitness(file, copy.Lines, "copied");
                file.TruncateAfterCopy(copy);
                Rotated(copy, HasStartedAfter(copy.CopiedAt));
            }
        });
    }

    /// <summary>A file that a crash cut goes before the agent has looked at it. The copy or archive that stays proves nothing: rather twice than never.</summary>
    private void OnlyWitness(LogFile file, IEnumerable<Line> there, string done)
    {
        foreach (Line line in IsCompared() ? [] : file.LeftByCrash.Intersect(there))
        {
            line.Most++;
            line.Story = $"left by a crash at the begin of {file.Path} and {done} before it was looked at";
        }
    }

    /// <summary>
    /// An agent that looks for current names only knows nothing of what was rotated before the first one came; nor of a copy that was made before it started, and
    /// whose original is cut before anything of that is read.
    /// </summary>
    private void Rotated(LogFile file, bool isCopiedUnseen)
    {
        if (Habits.IsFoundByCurrentName && (isCopiedUnseen || !WasReady()))
        {
            file.NeedNotBeFound("was rotated before the agent was ready");
        }
    }

    /// <summary>Compresses a rotated file of the stream, in pieces.</summary>
    private void Compress(int stream)
    {
        List<LogFile> plain = [.. _rotated.Where(file => !file.IsPacked && file.Path.StartsWith(PathOf(stream), StringComparison.Ordinal))];
        if (plain.Count == 0 || _compressing is not null)
        {
            return;
        }
        LogFile original = plain[World.Random.Next(plain.Count)];
        World.Trace.Say(null, $"{Machine.Name}: {original.Path} is being compressed");
        var gzip = new Gzip(_files, original, World.Now);
        int boot = Machine.BootCount;
        _rotating[stream] = true;
        _compressing = original;
        TimeSpan gap = World.Chance(0.5) ? TimeSpan.Zero : World.Between(TimeSpan.Zero, Habits.CopyGapMax);
        gzip.Write(World.Random.Next(200));
        World.After(gap, () =>
        {
            _rotating[stream] = false;
            _compressing = null;
            if (Machine.IsUp && Machine.BootCount == boot)
            {
                Compressed(original, gzip);
            }
        });
    }

    private void Compressed(LogFile original, Gzip gzip)
    {
        World.Trace.Say(null, $"{Machine.Name}: {original.Path} is compressed");
        bool isFound = FindsArchive(original) ? !original.IsCut || IsCompared() : HoldsFiles() && World.Now - original.MadeAt > SeenAfter;
        if (!isFound)
        {
            original.NeedNotBeFound("was compressed before the agent could see it");
        }
        OnlyWitness(original, original.Lines, "compressed");
        if (original.Lines is [Line first, .. var others] && (Habits.ShiftNames || (original.CopiedAt > TimeSpan.Zero && others.Count == 0)))
        {
            first.Most++; // where it alone was read or copied nothing tells whose archive it is: one line may be any file's
        }
        _rotated[_rotated.IndexOf(original)] = gzip.Finish();
    }

    private string PathOf(int stream) => string.Create(CultureInfo.InvariantCulture, $"{Logs}/app{stream}.log");

    // An application's log is append-only: after a crash a file is a prefix of what it was, cut at any byte not synced.
    private void LosingPower()
    {
        _before = [];
        foreach (LogFile file in _current.Concat(_rotated))
        {
            file.CutUnsynced(World.Random);
            _before[file.Inode] = file;
        }
        if (World.Chance(0.7))
        {
            _files.FlushDirectory(Logs);
        }
        _files.Kill();
    }

    private void PowerLost()
    {
        var found = new Dictionary<int, int>();
        var unended = new Dictionary<int, int>();
        _rotated.Clear();
        _files = new MemoryFileSystem(Machine.Disk);
        bool wasCompared = IsCompared();
        foreach (DirectoryEntry entry in _files.List(Logs))
        {
            string path = $"{Logs}/{entry.Name}";
            if (Gzip.IsNamedSo(path) && _files.FileExists(path[..^Gzip.Suffix.Length]))
            {
                _files.Delete(path); // begun only: gzip begins anew
                continue;
            }
            int stream = Array.FindIndex(_current, current => current.Path == path);
            LogFile file = LogFile.Found(_files, path, _lines, isWritten: stream >= 0, _before, wasCompared, World.Now);
            if (stream >= 0)
            {
                _current[stream] = file;
            }
            else
            {
                _rotated.Add(file);
                Rotated(file, isCopiedUnseen: false); // a copy whose original was to be cut
            }
            foreach (Line line in file.Lines)
            {
                found[line.Id] = found.GetValueOrDefault(line.Id) + 1;
                line.Most += file.IsCut && MayForget() ? 1 : 0;
            }
            if (file.Unended is { } last)
            {
                unended[last.Id] = unended.GetValueOrDefault(last.Id) + 1;
            }
        }
        for (int stream = 0; stream < _current.Length; stream++)
        {
            if (!_files.FileExists(_current[stream].Path))
            {
                _current[stream] = new LogFile(_files, _current[stream].Path, World.Now);
            }
        }
        foreach (Line line in _lines)
        {
            if (_mine.Contains(line.Id))
            {
                int copies = found.GetValueOrDefault(line.Id);
                line.Least = Math.Min(1, copies);
                line.Most = Math.Max(line.Most, copies + unended.GetValueOrDefault(line.Id));
                line.Story = copies == 0 && line.Story.Length == 0 ? "lost when its machine lost power" : line.Story;
            }
        }
    }
}
