using LogPipeline.Agent.State;
using LogPipeline.Files;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation.Workload;

/// <summary>One log file as its writer has it open, and the lines that stand in it.</summary>
internal sealed class LogFile
{
    private readonly MemoryFileSystem _files;
    private readonly IFile _file;
    private long _length;
    private long _synced;

    public LogFile(MemoryFileSystem files, string path, TimeSpan now)
    {
        _files = files;
        Path = path;
        MadeAt = now;
        _file = files.Open(path, FileOpenMode.ReadWrite);
        _length = _file.Length;
        _synced = _length;
    }

    public string Path { get; private set; }

    /// <summary>When it was made, or found by a boot.</summary>
    public TimeSpan MadeAt { get; private set; }

    /// <summary>When a copy was made; zero for a file that is written itself: who follows it has it open.</summary>
    public TimeSpan CopiedAt { get; private set; }

    public List<Line> Lines { get; } = [];

    /// <summary>A line whose end is yet to be written.</summary>
    public (Line Line, int Written, bool CarriageReturn)? Unfinished { get; set; }

    /// <summary>A line at the end of a rotated file that lost its line feed: it may come out, but who reads cannot know that it is whole.</summary>
    public Line? Unended { get; private set; }

    /// <summary>Whether a crash took its end.</summary>
    public bool IsCut { get; private set; }

    /// <summary>
    /// The lines before what a crash took, where they are less than a fingerprint: who read more cannot tell a copy of what was
    /// written since from another file that begins alike. Empty once the file was compared, or begins anew.
    /// </summary>
    public IReadOnlyList<Line> LeftByCrash { get; private set; } = [];

    /// <summary>Whether it is an archive.</summary>
    public bool IsPacked => Gzip.IsNamedSo(Path);

    /// <summary>Where the disk keeps it, whatever its name is.</summary>
    public ulong Inode => _file.Status().Inode;

    /// <summary>What a machine finds after it lost power.</summary>
    /// <param name="files">Its disk.</param>
    /// <param name="path">The file.</param>
    /// <param name="all">All lines.</param>
    /// <param name="isWritten">Whether a logger goes on writing it; nobody touches a rotated file.</param>
    /// <param name="before">The files as they were, by inode.</param>
    /// <param name="wasCompared">Whether the agent had compared the files since the crash before.</param>
    /// <param name="now">When.</param>
    public static LogFile Found(
        MemoryFileSystem files, string path, List<Line> all, bool isWritten, IReadOnlyDictionary<ulong, LogFile> before, bool wasCompared, TimeSpan now)
    {
        var found = new LogFile(files, path, now);
        byte[] bytes = found.IsPacked ? Gzip.Unpack(found.Read()) : found.Read();
        int at = 0;
        for (int end; (end = bytes.AsSpan(at).IndexOf((byte)'\n')) >= 0; at += end + 1)
        {
            if (Line.IdOf(bytes.AsSpan(at, end).TrimEnd((byte)'\r')) is { } id)
            {
                found.Lines.Add(all[id]);
            }
        }
        Line? last = Line.IdOf(bytes.AsSpan(at).TrimEnd((byte)'\r')) is { } lastId ? all[lastId] : null;
        if (!isWritten)
        {
            found.Unended = last;
        }
        else if (at < bytes.Length)
        {
            // A careful logger begins on a line of its own.
            found.AppendBytes("\n"u8);
            found.Lines.AddRange(last is null ? [] : [last]);
        }
        if (before.TryGetValue(found.Inode, out LogFile? was))
        {
            IReadOnlyList<Line> left = wasCompared ? [] : was.LeftByCrash;
            found.IsCut = was.IsCut;
            bool isLess = was.IsCut && (left.Count == 0 || found.Lines.Count < left.Count);
            long same = last is null ? at : bytes.Length;
            found.LeftByCrash = !isLess ? left : same < Fingerprint.LengthMax ? [.. found.Lines] : [];
        }
        return found;
    }

    public void Append(Line line, bool carriageReturn)
    {
        Finish();
        AppendBytes(line.Bytes);
        End(line, carriageReturn);
    }

    /// <summary>An empty line.</summary>
    public void AppendBlank()
    {
        Finish();
        AppendBytes("\n"u8);
    }

    /// <summary>Writes the rest of a half-written line.</summary>
    public void Finish()
    {
        if (Unfinished is { } unfinished)
        {
            Unfinished = null;
            AppendBytes(unfinished.Line.Bytes.AsSpan(unfinished.Written));
            End(unfinished.Line, unfinished.CarriageReturn);
        }
    }

    public void AppendBytes(ReadOnlySpan<byte> bytes)
    {
        // Logs lie on a file system of their own: it is the agent's state that finds its disk full.
        long capacity = _files.Disk.Capacity;
        _files.Disk.Capacity = long.MaxValue;
        _file.Write(bytes, _length);
        _files.Disk.Capacity = capacity == long.MaxValue ? capacity : capacity + bytes.Length;
        _length += bytes.Length;
    }

    public void Sync()
    {
        _file.Flush();
        _synced = _length;
    }

    public void RenameTo(string path)
    {
        _files.Rename(Path, path);
        Path = path;
    }

    public void Truncate(string why)
    {
        Destroy(why);
        _file.SetLength(0);
        _length = _synced = 0;
        LeftByCrash = [];
    }

    /// <summary>Deletes the name, durably; an agent may still hold the file open and read it.</summary>
    public void Delete(string why)
    {
        Destroy(why);
        _files.Delete(Path);
        _files.FlushDirectory(AppServer.Logs);
        _file.Dispose();
    }

    public LogFile CopyTo(string path, TimeSpan now)
    {
        var copy = new LogFile(_files, path, now) { CopiedAt = now };
        copy.AppendBytes(Read());
        copy.Lines.AddRange(Lines);
        return copy;
    }

    /// <summary>Says why an agent need not find the file: its lines may be missing.</summary>
    public void NeedNotBeFound(string why)
    {
        foreach (Line line in Lines)
        {
            (line.WasUnseen, line.Story) = (true, $"{Path} {why}");
        }
    }

    /// <summary>All bytes, as they are on the disk.</summary>
    public byte[] Read()
    {
        byte[] bytes = new byte[_length];
        _file.Read(bytes, 0);
        return bytes;
    }

    /// <summary>This file holds all of another one now, and deletes that one's name, durably; an agent may still have it open.</summary>
    public void TakeLinesOf(LogFile original)
    {
        Lines.AddRange(original.Lines);
        Unended = original.Unended;
        LeftByCrash = original.LeftByCrash;
        (MadeAt, CopiedAt) = (original.MadeAt, original.CopiedAt);
        _files.Delete(original.Path);
        _files.FlushDirectory(AppServer.Logs);
        original._file.Dispose();
    }

    /// <summary>The second half of copytruncate: what the copy has lives on there, what came after it is lost.</summary>
    public void TruncateAfterCopy(LogFile copy)
    {
        Lines.RemoveAll(copy.Lines.Contains);
        Truncate("written between a copy and its truncation");
    }

    /// <summary>Power fails: the file will be a prefix of what it was.</summary>
    public void CutUnsynced(Random random)
    {
        long keep = random.Next(3) switch { 0 => _length, 1 => _synced, _ => random.NextInt64(_synced, _length + 1) };
        IsCut = keep < _length;
        long written = _file.Status().ModifiedTime;
        _file.SetLength(keep);
        _files.Disk.SetModifiedTime(Path, written); // nobody wrote to it
        _file.Flush();
    }

    private void End(Line line, bool carriageReturn)
    {
        AppendBytes(carriageReturn ? "\r\n"u8 : "\n"u8);
        Lines.Add(line);
    }

    private void Destroy(string why)
    {
        if (Unfinished is { } unfinished)
        {
            Unfinished = null;
            Lines.Add(unfinished.Line);
        }
        foreach (Line line in Lines)
        {
            line.Least = 0;
            line.Story = why;
        }
        Lines.Clear();
    }
}
