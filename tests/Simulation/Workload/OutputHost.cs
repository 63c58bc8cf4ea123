using System.Globalization;
using LogPipeline.Files;
using LogPipeline.Simulation.Checks;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Machines;
using LogPipeline.Simulation.Network;
using LogPipeline.Simulation.Parts;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation.Workload;

/// <summary>A machine whose sink writes files, and whose people and logrotate move, cut and delete them.</summary>
internal sealed class OutputHost
{
    public const string Directory = "/archive";

    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(8);

    private readonly List<(string Path, string Name, long Committed)> _moved = [];
    private readonly List<(string Name, IFile File)> _deleted = [];
    private readonly List<OutputRow> _destroyed = [];
    private readonly bool _disturbs;

    /// <param name="machine">Where.</param>
    /// <param name="network">The way to the broker.</param>
    /// <param name="format">Which of the formats and compressions.</param>
    /// <param name="filter">What its configuration says of the lines that it stores.</param>
    public OutputHost(Machine machine, SimNetwork network, int format, FilterHabit filter)
    {
        (Machine, Filter) = (machine, new LineFilter(filter));
        (string name, string compress) = Formats[format % Formats.Count];
        Options = new SinkOptions
        {
            Name = "archive",
            Bootstrap = $"{BrokerPart.Host}:{BrokerPart.Port}",
            Topics = [Story.Topic],
            Files = new FilesOptions
            {
                Directory = Directory,
                Format = name,
                Compress = compress,
                Path = Paths[World.Random.Next(Paths.Count)],
                Publish = name == "parquet" ? new PublishOptions { BytesMax = 64 << 10, Interval = TimeSpan.FromSeconds(World.Random.Next(1, 15)) } : null,
            },
            Flush = new FlushOptions { BytesMax = 4096, Interval = TimeSpan.FromMilliseconds(500) },
        };
        int processes = World.Chance(0.4) ? 2 : 1;
        Sinks = [.. Enumerable.Range(0, processes).Select(number => new FileSinkPart(this, network, string.Create(CultureInfo.InvariantCulture, $"archiver{number}")))];
        _disturbs = World.Chance(0.6);
        machine.LosingPower = Settle;
    }

    public static IReadOnlyList<(string Name, string Compress)> Formats { get; } =
    [
        ("raw", "none"), ("ndjson", "none"), ("csv", "none"), ("parquet", "snappy"), ("raw", "gzip"), ("ndjson", "zstd"), ("csv", "gzip"), ("parquet", "zstd"),
    ];

    private static IReadOnlyList<string> Paths { get; } = ["{topic}/{date}/{partition}", "{date}/{host}", "all-{hour}"];

    public Machine Machine { get; }

    public SinkOptions Options { get; set; }

    public LineFilter Filter { get; }

    public IReadOnlyList<FileSinkPart> Sinks { get; }

    /// <summary>Whether somebody cut or deleted rows that were on their way to Parquet: they are lost, as verify says.</summary>
    public bool HasLostStaged { get; private set; }

    private World World => Machine.World;

    /// <summary>What a process finds in the configuration as it starts.</summary>
    public SinkOptions Configured(Random random) => Filter.Configured(random) is { } where ? Options with { Parser = new ParserOptions { Where = where } } : Options;

    /// <summary>Moves, cuts and deletes files until <paramref name="until"/>.</summary>
    public void Run(TimeSpan until)
    {
        World.After(World.Between(TimeSpan.Zero, PauseMax), () =>
        {
            if (!_disturbs || World.Now >= until)
            {
                return;
            }
            if (Machine.IsUp)
            {
                Act();
            }
            Run(until);
        });
    }

    /// <summary>What is in the files: the rows that must be there once, and those that may be, since somebody moved, cut or deleted their file.</summary>
    public (List<OutputRow> Certain, List<OutputRow> Possible) Rows()
    {
        Settle();
        var files = new MemoryFileSystem(Machine.Disk);
        (List<OutputRow> certain, List<OutputRow> possible) = ([], [.. _destroyed]);
        Dictionary<string, long> lengths = OutputManifest.Read(files, Directory)?.Lengths ?? [];
        foreach (string path in Outputs(files, Directory).Except(_moved.Select(static file => file.Path)))
        {
            // Nothing is under way: a user who reads whole files sees what is committed and nothing else.
            string name = path[(Directory.Length + 1)..];
            Add(path, name, name.StartsWith('.') ? lengths.GetValueOrDefault(name) : long.MaxValue);
        }
        foreach ((string path, string name, long committed) in _moved)
        {
            Add(path, name, committed);
        }
        return (certain, possible);

        void Add(string path, string name, long committed)
        {
            byte[] bytes = AtomicFile.ReadAll(files, path) ?? [];
            int length = (int)Math.Min(committed, bytes.Length);
            certain.AddRange(OutputReader.Read(name, bytes.AsMemory(0, length)));
            possible.AddRange(OutputReader.Read(name, bytes.AsMemory(length)));
        }
    }

    private void Act()
    {
        var files = new MemoryFileSystem(Machine.Disk);
        List<string> there = Outputs(files, Directory);
        if (there.Count == 0)
        {
            return;
        }
        // What they see of the manifest is durable: else a crash could take back what it says of a file that they move.
        files.FlushDirectory(Directory);
        string path = there[World.Random.Next(there.Count)];
        string name = path[(Directory.Length + 1)..];
        switch (World.Random.Next(4))
        {
            case 0:
                Cut(files, path, name);
                break;
            case 1:
                World.Trace.Say(null, $"somebody deletes {path}");
                _deleted.Add((name, files.Open(path, FileOpenMode.Read)));
                files.Delete(path);
                break;
            default:
                // Rows on their way to Parquet nobody moves: the part would have them too.
                if (!name.StartsWith('.'))
                {
                    Move(files, path, name);
                }
                break;
        }
    }

    private void Move(MemoryFileSystem files, string path, string name)
    {
        string number = _moved.Count.ToString(CultureInfo.InvariantCulture);
        string to = World.Chance(0.5) ? $"{path}.{number}" : $"/old/{number}";
        World.Trace.Say(null, $"somebody moves {path} to {to}");
        _moved.Add((to, name, OutputManifest.Read(files, Directory)?.Lengths.GetValueOrDefault(name) ?? 0));
        files.CreateDirectory("/old");
        files.Rename(path, to);
        if (World.Chance(0.3))
        {
            files.FlushDirectory(Path.GetDirectoryName(path)!); // no file system has the new file and not the old one's new name
            files.Open(path, FileOpenMode.CreateNew).Dispose(); // as logrotate's `create` does
        }
    }

    private void Cut(MemoryFileSystem files, string path, string name)
    {
        using IFile file = files.Open(path, FileOpenMode.ReadWrite);
        long length = World.Chance(0.5) ? 0 : World.Random.NextInt64(file.Length + 1);
        World.Trace.Say(null, $"somebody cuts {path} to {length} of {file.Length} bytes");
        Destroyed(name, file);
        file.SetLength(length);
    }

    /// <summary>What deleted files hold by now is gone for good.</summary>
    private void Settle()
    {
        foreach ((string name, IFile file) in _deleted)
        {
            Destroyed(name, file);
            file.Dispose();
        }
        _deleted.Clear();
    }

    private void Destroyed(string name, IFile file)
    {
        HasLostStaged |= name.StartsWith('.');
        byte[] bytes = new byte[file.Length];
        file.Read(bytes, 0);
        _destroyed.AddRange(OutputReader.Read(name, bytes));
    }

    /// <summary>The sink's files below a directory.</summary>
    private static List<string> Outputs(MemoryFileSystem files, string directory)
    {
        var paths = new List<string>();
        foreach (DirectoryEntry entry in files.List(directory))
        {
            string path = $"{directory}/{entry.Name}";
            if (entry.IsDirectory)
            {
                paths.AddRange(Outputs(files, path));
            }
            else if (OutputReader.Extensions.Any(extension => entry.Name.EndsWith(extension, StringComparison.Ordinal)))
            {
                paths.Add(path);
            }
        }
        return paths;
    }
}
