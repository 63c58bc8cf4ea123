using System.Buffers;
using System.Globalization;
using System.Text;
using LogPipeline.Agent.State;
using LogPipeline.Files;
using LogPipeline.Files.Waiting;

namespace LogPipeline.Agent.Sources;

/// <summary>
/// Lines that cannot be read again, on disk until they are acked: files <c>00000001.log</c>, <c>00000002.log</c> … in a directory of the
/// state directory, which are tailed like any others and deleted when all of them is acked. What is appended counts as taken once it is
/// durable: all that waits is written and fsynced together. The newest file that holds something stays, so that a source finds in its last
/// line where to go on. Owned by the agent's loop.
/// </summary>
internal sealed class Spool : IDisposable
{
    private const long FileBytesMax = 16 << 20;

    /// <summary>Files that a full spool has at least: each goes only as a whole.</summary>
    private const int FilesMin = 8;

    private const int PartLeftMax = 4; // of a disk

    private const int PendingBytesMax = 4 << 20;
    private const int TailBytes = 64 << 10;
    private const string StartFile = "start";

    private readonly IFileSystem _files;
    private readonly string _directory;
    private readonly long _bytesMax;
    private readonly GroupedWrite _write;
    private readonly SortedDictionary<int, long> _lengths = []; // durable bytes of each file
    private readonly List<TaskCompletionSource> _roomAwaited = [];
    private ArrayBufferWriter<byte> _pending = new();
    private int _writing; // bytes of the write that is under way
    private bool _usesLastRoom;
    private IFile? _current;
    private int _number;
    private (int File, long Bytes) _acked;

    /// <param name="files">The disk.</param>
    /// <param name="directory">Its own directory.</param>
    /// <param name="bytesMax">Bytes of all files: at this bound the source waits, or drops where it cannot wait.</param>
    /// <param name="pause">What a disk that refuses means for this spool: its source waits, and what is spooled is read and sent on.</param>
    /// <param name="isWhole">
    /// For a source that goes on behind the last line: whether a line is as the source gave it. At the first that is not, which a crash tore, the newest file is cut.
    /// Null where lines cannot be had again: then what is left of them is kept.
    /// </param>
    /// <param name="known">Paths that are remembered. A number is not used again while it is: a new file that begins alike would be taken for the old one.</param>
    /// <exception cref="IOException">The directory cannot be used.</exception>
    public Spool(IFileSystem files, string directory, long bytesMax, DiskPause pause, Func<ReadOnlySpan<byte>, bool>? isWhole = null, IEnumerable<string>? known = null)
    {
        (_files, _directory, _bytesMax) = (files, directory, bytesMax);
        _number = (known ?? []).Select(path => TryNumber(path, out int number) ? number : 0).DefaultIfEmpty().Max();
        _write = new GroupedWrite(WritePendingAsync, pause.Fatal);
        Pause = pause;
        files.CreateDirectory(directory);
        foreach (DirectoryEntry entry in files.List(directory))
        {
            if (TryNumber(Path.Combine(directory, entry.Name), out int number))
            {
                Settle(number);
            }
        }
        if (isWhole is not null && NewestNumber is > 0 and int newest)
        {
            CutTorn(newest, isWhole);
        }
        files.FlushDirectory(directory);
    }

    /// <summary>
    /// What it leaves free on its disk, so that the agent can send and note what is acked: else nothing that is spooled could ever be deleted. Bytes;
    /// of a small disk, a quarter.
    /// </summary>
    public long FreeBytesMin { get; init; }

    /// <summary>What its disk says.</summary>
    public DiskPause Pause { get; }

    /// <summary>Called with the path of a file that has more durable bytes than before.</summary>
    public Action<string>? Grown { get; set; }

    /// <summary>Bytes in its files.</summary>
    public long Bytes => _lengths.Values.Sum();

    /// <summary>Bytes that were taken and are not durable yet.</summary>
    public long UndurableBytes => _writing + _pending.WrittenCount;

    /// <summary>Whether all that was taken is acked and gone.</summary>
    public bool IsEmpty => _lengths.Count == 0 && _pending.WrittenCount == 0;

    /// <summary>What keeps its source from giving lines; null when nothing does. The source sets it.</summary>
    public string? Trouble { get; set; }

    /// <summary>What its source cannot see, though it gives lines; null when it sees all. The source sets it, on any thread.</summary>
    public string? Limitation { get; set; }

    /// <summary>Messages that found no room, or were refused.</summary>
    public long Dropped { get; private set; }

    /// <summary>Whether its source has ended.</summary>
    public bool IsOver { get; private set; }

    /// <summary>A spool that waits for nothing has room, however long its newest file is: that one stays.</summary>
    private bool HasRoom => _pending.WrittenCount < PendingBytesMax
        && (Bytes + _pending.WrittenCount < _bytesMax || (_pending.WrittenCount == 0 && _acked == (NewestNumber, Bytes)));

    /// <summary>The newest file that holds something; 0 when none does.</summary>
    private int NewestNumber => _lengths.LastOrDefault(static file => file.Value > 0).Key;

    /// <summary>Whether a path is one of this spool's files; its durable length is <paramref name="durable"/>.</summary>
    public bool TryLength(string path, out long durable)
    {
        durable = 0;
        return TryNumber(path, out int number) && _lengths.TryGetValue(number, out durable);
    }

    /// <summary>Takes bytes, waiting while the spool is full; ends when they are durable. They are whole lines.</summary>
    public async Task AppendAsync(ReadOnlyMemory<byte> lines, CancellationToken stopped)
    {
        while (!HasRoom)
        {
            var room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _roomAwaited.Add(room);
            await room.Task.OrCancelled(stopped);
        }
        _pending.Write(lines.Span);
        await _write.DoneAsync();
        Trouble = null;
    }

    /// <summary>Takes whole lines that their sender does not wait for; false when there is no room. They are durable soon.</summary>
    public bool TryAppend(ReadOnlySpan<byte> lines)
    {
        if (lines.IsEmpty)
        {
            return true;
        }
        if (!HasRoom)
        {
            Dropped++;
            return false;
        }
        _pending.Write(lines);
        _ = _write.DoneAsync();
        return true;
    }

    /// <summary>Takes what was read of a stream that has ended, or is told to: there is room for that beyond the bound. It is durable soon.</summary>
    public void TakeLast(ReadOnlySpan<byte> lines)
    {
        if (!lines.IsEmpty)
        {
            _pending.Write(lines);
            _ = _write.DoneAsync();
        }
    }

    /// <summary>Where its source begins as long as nothing is spooled; null where it noted nothing.</summary>
    public string? Start() => AtomicFile.ReadAll(_files, Path.Combine(_directory, StartFile)) is byte[] noted ? Encoding.UTF8.GetString(noted) : null;

    /// <summary>Notes where its source begins, durably.</summary>
    public void NoteStart(string start) => AtomicFile.Replace(_files, Path.Combine(_directory, StartFile), Encoding.UTF8.GetBytes(start));

    /// <summary>Counts what is not taken for another reason than that there is no room.</summary>
    public void Refused() => Dropped++;

    /// <summary>Ends when all that was taken is durable.</summary>
    public Task DurableAsync() => _write.DoneAsync();

    /// <summary>The agent ends: what was taken may have the room that is left free otherwise.</summary>
    public void UseLastRoom() => _usesLastRoom = true;

    /// <summary>The source has ended: the newest file may go too, once it is acked.</summary>
    public void End()
    {
        Roll();
        IsOver = true;
    }

    /// <summary>The last line that is durable, without its line feed; empty when nothing is spooled.</summary>
    public byte[] LastLine()
    {
        if (NewestNumber is not (> 0 and int newest))
        {
            return [];
        }
        using IFile file = _files.Open(PathOf(newest), FileOpenMode.Read);
        for (long size = TailBytes; ; size *= 4)
        {
            byte[] tail = new byte[Math.Min(_lengths[newest], size)];
            ReadOnlySpan<byte> text = tail.AsSpan(0, file.ReadFully(tail, _lengths[newest] - tail.Length)).TrimEnd((byte)'\n');
            if (text.LastIndexOf((byte)'\n') is int before && (before >= 0 || tail.Length == _lengths[newest]))
            {
                return text[(before + 1)..].ToArray();
            }
        }
    }

    /// <summary>The files that are written to no more and need not stay, with their lengths.</summary>
    public IEnumerable<(string Path, long Length)> Whole()
    {
        int newest = IsOver ? int.MaxValue : NewestNumber;
        return _lengths.Where(file => file.Key < newest && (file.Key != _number || _current is null)).Select(file => (PathOf(file.Key), file.Value)).ToList();
    }

    /// <summary>Notes what is acked of the newest file, which stays.</summary>
    /// <param name="ackedOf">Asked for a path: returns the bytes that are acked.</param>
    public void NoteAcked(Func<string, long> ackedOf)
    {
        if (NewestNumber is > 0 and int newest)
        {
            _acked = (newest, ackedOf(PathOf(newest)));
            Wake();
        }
    }

    /// <summary>
    /// Deletes a file all of which is acked, durably noted. The deletion is durable too: the registry forgets the file, and would send one again
    /// that a power cut brought back.
    /// </summary>
    public void Delete(string path)
    {
        _files.Delete(path);
        _files.FlushDirectory(_directory);
        _lengths.Remove(int.Parse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture));
        Wake();
    }

    public void Dispose() => _current?.Dispose();

    private void Wake()
    {
        if (_roomAwaited.Count > 0 && HasRoom)
        {
            List<TaskCompletionSource> awaited = [.. _roomAwaited];
            _roomAwaited.Clear();
            awaited.ForEach(static room => room.SetResult());
        }
    }

    private bool TryNumber(string path, out int number)
    {
        number = 0;
        return Path.GetDirectoryName(path) == _directory
            && int.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    private string PathOf(int number) => Path.Combine(_directory, $"{number:D8}.log");

    /// <summary>A file of the run before: what it holds is made durable, and a line that a crash cut ends there.</summary>
    private void Settle(int number)
    {
        using IFile file = _files.Open(PathOf(number), FileOpenMode.ReadWrite);
        Span<byte> last = stackalloc byte[1];
        if (file.Length > 0 && file.Read(last, file.Length - 1) == 1 && last[0] != (byte)'\n')
        {
            file.Write("\n"u8, file.Length);
        }
        file.Flush();
        _lengths[number] = file.Length;
        _number = Math.Max(_number, number);
    }

    /// <summary>Cuts the newest file before the first line that is not whole. Only what was not durable yet can be torn, and it was not sent.</summary>
    private void CutTorn(int number, Func<ReadOnlySpan<byte>, bool> isWhole)
    {
        using IFile file = _files.Open(PathOf(number), FileOpenMode.ReadWrite);
        byte[] bytes = new byte[file.Length];
        ReadOnlySpan<byte> left = bytes.AsSpan(0, file.ReadFully(bytes, 0));
        int whole = 0;
        while (left[whole..].IndexOf((byte)'\n') is >= 0 and int end && isWhole(left.Slice(whole, end)))
        {
            whole += end + 1;
        }
        if (whole < file.Length)
        {
            file.SetLength(whole);
            file.Flush();
            _lengths[number] = whole;
        }
    }

    private async Task WritePendingAsync()
    {
        ArrayBufferWriter<byte> taken = _pending;
        _pending = new ArrayBufferWriter<byte>();
        if (taken.WrittenCount > 0)
        {
            Wake(); // there is room for as much again
            _writing = taken.WrittenCount;
            await Pause.UntilDoneAsync(() => WriteAsync(taken.WrittenMemory));
            _writing = 0;
        }
    }

    /// <summary>Writes at the durable end, so that a write that a disk refused is made again in the same place.</summary>
    private async Task WriteAsync(ReadOnlyMemory<byte> lines)
    {
        if (_current is not null && _lengths[_number] >= Math.Min(FileBytesMax, _bytesMax / FilesMin))
        {
            Roll();
        }
        long left = Math.Min(FreeBytesMin, _files.TotalBytes(_directory) / PartLeftMax);
        if (!_usesLastRoom && _files.FreeBytes(_directory) < left)
        {
            throw new IOException($"{_directory}: less than {left >> 20} MiB are free there, which are left to what the agent notes and sends");
        }
        _current ??= Begin();
        long begin = _lengths[_number];
        _current.Write(lines.Span, begin);
        await _current.FlushAsync();
        _lengths[_number] = begin + lines.Length;
        Grown?.Invoke(PathOf(_number));
    }

    /// <summary>Begins the next file, whose name is durable; where the disk refuses that, it is begun again.</summary>
    private IFile Begin()
    {
        IFile next = _files.Open(PathOf(_number + 1), FileOpenMode.ReadWrite);
        try
        {
            next.SetLength(0);
            _files.FlushDirectory(_directory);
        }
        catch
        {
            next.Dispose();
            throw;
        }
        _lengths[++_number] = 0;
        return next;
    }

    private void Roll()
    {
        _current?.Dispose();
        _current = null;
    }
}
