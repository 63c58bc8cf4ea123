using System.Buffers;
using System.Globalization;
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

    private const int PendingBytesMax = 4 << 20;
    private const int TailBytesMax = 1 << 20;

    private readonly IFileSystem _files;
    private readonly string _directory;
    private readonly long _bytesMax;
    private readonly GroupedWrite _write;
    private readonly SortedDictionary<int, long> _lengths = []; // durable bytes of each file
    private readonly List<TaskCompletionSource> _roomAwaited = [];
    private ArrayBufferWriter<byte> _pending = new();
    private IFile? _current;
    private int _number;

    /// <param name="files">The disk.</param>
    /// <param name="directory">Its own directory.</param>
    /// <param name="bytesMax">Bytes of all files: at this bound the source waits, or drops where it cannot wait.</param>
    /// <param name="pause">What a disk that refuses means.</param>
    /// <exception cref="IOException">The directory cannot be used.</exception>
    public Spool(IFileSystem files, string directory, long bytesMax, StatePause pause)
    {
        (_files, _directory, _bytesMax) = (files, directory, bytesMax);
        _write = new GroupedWrite(WritePendingAsync, pause.Fatal);
        Pause = pause;
        files.CreateDirectory(directory);
        foreach (DirectoryEntry entry in files.List(directory))
        {
            if (int.TryParse(Path.GetFileNameWithoutExtension(entry.Name), NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            {
                Settle(number);
            }
        }
        files.FlushDirectory(directory);
    }

    private StatePause Pause { get; }

    /// <summary>Called with the path of a file that has more durable bytes than before.</summary>
    public Action<string>? Grown { get; set; }

    /// <summary>Bytes in its files.</summary>
    public long Bytes => _lengths.Values.Sum();

    /// <summary>Whether all that was taken is acked and gone.</summary>
    public bool IsEmpty => _lengths.Count == 0 && _pending.WrittenCount == 0;

    /// <summary>What keeps its source from giving lines; null when nothing does. The source sets it.</summary>
    public string? Trouble { get; set; }

    /// <summary>Appends that found no room, and were dropped.</summary>
    public long Dropped { get; private set; }

    /// <summary>Whether its source has ended.</summary>
    public bool IsOver { get; private set; }

    private bool HasRoom => Bytes + _pending.WrittenCount < _bytesMax && _pending.WrittenCount < PendingBytesMax;

    /// <summary>Whether a path is one of this spool's files; its durable length is <paramref name="durable"/>.</summary>
    public bool TryLength(string path, out long durable)
    {
        durable = 0;
        return Path.GetDirectoryName(path) == _directory
            && int.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && _lengths.TryGetValue(number, out durable);
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
    }

    /// <summary>Takes whole lines that their sender does not wait for; false when there is no room. They are durable soon.</summary>
    public bool TryAppend(ReadOnlySpan<byte> lines)
    {
        if (!HasRoom)
        {
            Dropped++;
            return false;
        }
        _pending.Write(lines);
        _ = _write.DoneAsync();
        return true;
    }

    /// <summary>The source has ended: the newest file may go too, once it is acked.</summary>
    public void End()
    {
        Roll();
        IsOver = true;
    }

    /// <summary>The last line that is durable, without its line feed; empty when nothing is spooled.</summary>
    public byte[] LastLine()
    {
        if (_lengths.LastOrDefault(static file => file.Value > 0) is not { Value: > 0 } last)
        {
            return [];
        }
        using IFile file = _files.Open(PathOf(last.Key), FileOpenMode.Read);
        byte[] tail = new byte[Math.Min(last.Value, TailBytesMax)];
        ReadOnlySpan<byte> text = tail.AsSpan(0, file.ReadFully(tail, last.Value - tail.Length)).TrimEnd((byte)'\n');
        return text[(text.LastIndexOf((byte)'\n') + 1)..].ToArray();
    }

    /// <summary>The files that are written to no more and need not stay, with their lengths.</summary>
    public IEnumerable<(string Path, long Length)> Whole()
    {
        int newest = IsOver ? int.MaxValue : _lengths.LastOrDefault(static file => file.Value > 0).Key;
        return _lengths.Where(file => file.Key < newest && (file.Key != _number || _current is null)).Select(file => (PathOf(file.Key), file.Value)).ToList();
    }

    /// <summary>Deletes a file all of which is acked, durably noted.</summary>
    public void Delete(string path)
    {
        _files.Delete(path);
        _lengths.Remove(int.Parse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture));
        List<TaskCompletionSource> awaited = [.. _roomAwaited];
        _roomAwaited.Clear();
        awaited.ForEach(static room => room.SetResult());
    }

    public void Dispose() => _current?.Dispose();

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

    private async Task WritePendingAsync()
    {
        ArrayBufferWriter<byte> taken = _pending;
        _pending = new ArrayBufferWriter<byte>();
        if (taken.WrittenCount > 0)
        {
            await Pause.UntilDoneAsync(() => WriteAsync(taken.WrittenMemory));
        }
    }

    /// <summary>Writes at the durable end, so that a write that a disk refused is made again in the same place.</summary>
    private async Task WriteAsync(ReadOnlyMemory<byte> lines)
    {
        if (_current is not null && _lengths[_number] >= Math.Min(FileBytesMax, _bytesMax / FilesMin))
        {
            Roll();
        }
        if (_current is null)
        {
            _current = _files.Open(PathOf(_number + 1), FileOpenMode.ReadWrite);
            _current.SetLength(0);
            _lengths[++_number] = 0;
            _files.FlushDirectory(_directory);
        }
        long begin = _lengths[_number];
        _current.Write(lines.Span, begin);
        await _current.FlushAsync();
        _lengths[_number] = begin + lines.Length;
        Grown?.Invoke(PathOf(_number));
    }

    private void Roll()
    {
        _current?.Dispose();
        _current = null;
    }
}
