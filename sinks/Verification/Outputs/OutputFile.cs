using System.Collections.Immutable;
using LogPipeline.Sinks.Files;
using LogPipeline.Sinks.Files.Parts;

namespace LogPipeline.Sinks.Verification.Outputs;

/// <summary>One file of a file sink: what stands there and what the topic says should stand there.</summary>
internal sealed class OutputFile
{
    /// <param name="name">Below the sink's directory.</param>
    /// <param name="committed">Bytes that the manifest counts; 0 where it does not know the file.</param>
    /// <param name="found">Bytes that there are; null where it is gone.</param>
    /// <param name="starts">Where it went on after somebody moved it away or cut it.</param>
    public OutputFile(string name, long committed, long? found, ImmutableList<FreshStart> starts)
    {
        (Name, Committed, Found, Starts) = (name, committed, found, starts);
        Stretches = [.. Enumerable.Range(0, starts.Count + 1).Select(index => new OutputStretch(this, index))];
    }

    public string Name { get; }

    public long Committed { get; }

    public long? Found { get; }

    /// <summary>Bytes to be compared: what lies beyond is not committed.</summary>
    public long Readable => Math.Min(Committed, Found ?? 0);

    /// <summary>Whether less is there than was committed: somebody moved it away or cut it, and the sink has not written to it since, as it never does to a part.</summary>
    public bool IsShort => Readable < Committed || (IsPart && Starts.Count > 0);

    public ImmutableList<FreshStart> Starts { get; }

    /// <summary>From its begin or a fresh start to the next one.</summary>
    public OutputStretch[] Stretches { get; }

    /// <summary>Whether it is a published Parquet file.</summary>
    public bool IsPart => Part is not null;

    public FilePart? Part { get; init; }

    /// <summary>What it begins with; known once the topic has a record of it.</summary>
    public byte[] Header { get; set; } = [];

    /// <summary>Why it could not be read to its end; null where it could.</summary>
    public string? Damage { get; set; }

    /// <summary>Whether something is found wrong with it; else a note says why it is not as the topic says.</summary>
    public bool IsWrong { get; set; }

    /// <summary>Where a record's lines are.</summary>
    public OutputStretch StretchOf(int log, long offset)
    {
        int index = Starts.Count;
        while (index > 0 && Starts[index - 1].Offsets.GetValueOrDefault(log) > offset)
        {
            index--;
        }
        return Stretches[index];
    }
}

/// <summary>Part of a file.</summary>
internal sealed class OutputStretch(OutputFile file, int index)
{
    public OutputFile File { get; } = file;

    public bool IsLast { get; } = index == file.Starts.Count;

    /// <summary>Whether somebody may have cut lines off its end.</summary>
    public bool MayBeCut => !IsLast || File.IsShort || File.Damage is not null;

    /// <summary>The lines that the topic's records make.</summary>
    public LineSum Expected { get; } = new();

    /// <summary>The lines that are there.</summary>
    public LineSum Lines { get; } = new();

    /// <summary>The first line of each log, by its id.</summary>
    public Dictionary<int, ulong> FirstLines { get; } = [];

    /// <summary>Whether it is as the topic says; in which order the rows of several logs were written is not known.</summary>
    public bool IsSame => Expected.Count == Lines.Count && Expected.Total == Lines.Total && (FirstLines.Count > 1 || Expected.Ordered == Lines.Ordered);

    public void Expect(int log, ulong line)
    {
        FirstLines.TryAdd(log, line);
        Expected.Add(line);
    }
}

/// <summary>Lines as figures: their number, the sum of their hashes, and a hash that depends on their order.</summary>
internal sealed class LineSum
{
    private const ulong Odd = 0x9E3779B97F4A7C15;

    public long Count { get; private set; }

    public ulong Total { get; private set; }

    public ulong Ordered { get; private set; }

    public void Add(ulong line)
    {
        Count++;
        Total += line;
        Ordered = (Ordered ^ line) * Odd;
        Ordered ^= Ordered >> 29;
    }
}
