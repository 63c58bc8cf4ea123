using System.Runtime.InteropServices;
using LogPipeline.Agent.Tailing;
using LogPipeline.Files;
using LogPipeline.Files.Linux;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Agent.Machine;

/// <summary>
/// Linux's inotify on directories. One thread waits in poll(2) and passes on each change of a name, and each path that was written once a read; an
/// overflow of the kernel's queue, or anything it cannot place, becomes "anything may have happened". The lock guards the table of watches. Where the kernel has no
/// more watches to give, which is told once, and on file systems that other machines write to, looking finds what changes there.
/// </summary>
internal sealed partial class Inotify : IFileWatch
{
    private const uint Modify = 0x2;
    private const uint MovedFrom = 0x40;
    private const uint MovedTo = 0x80;
    private const uint Create = 0x100;
    private const uint Delete = 0x200;
    private const uint Overflow = 0x4000;
    private const uint Ignored = 0x8000;
    private const uint IsDirectory = 0x40000000;
    private const int CloseOnExec = 0x80000;
    private const int EventHeader = 16;
    private const int NoSpace = 28; // ENOSPC: fs.inotify.max_user_watches is used up
    private const int LookedAtEvery = 10; // seconds

    private readonly Lock _lock = new();
    private readonly Dictionary<int, string> _byWatch = [];
    private readonly HashSet<string> _directories = [];
    private readonly HashSet<string> _unwatched = [];
    private readonly HashSet<string> _remote = []; // watched, but others write there too
    private readonly SafeFileHandle _handle;
    private readonly ReadableWait _wait = new();
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private volatile bool _closed;

    private Inotify(SafeFileHandle handle, ILogger logger)
    {
        (_handle, _logger) = (handle, logger);
        _thread = new Thread(Run) { Name = "inotify", IsBackground = true };
        _thread.Start();
    }

    public Action<string?>? Hint { get; set; }

    public Action<NameChange>? Named { get; set; }

    public bool IsComplete
    {
        get
        {
            lock (_lock)
            {
                return _unwatched.Count == 0 && _remote.Count == 0;
            }
        }
    }

    /// <summary>Null where the kernel has none to give, which is told.</summary>
    public static Inotify? TryCreate(ILogger logger)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }
        int descriptor = InotifyInit(CloseOnExec);
        if (descriptor < 0)
        {
            logger.Unwatched("/", Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()), LookedAtEvery);
            return null;
        }
        return new Inotify(new SafeFileHandle(descriptor, ownsHandle: true), logger);
    }

    public void Watch(string directory)
    {
        lock (_lock)
        {
            if (_closed || !_directories.Add(directory))
            {
                return;
            }
            int watch = InotifyAddWatch(_handle, directory, Modify | MovedFrom | MovedTo | Create | Delete);
            int error = Marshal.GetLastPInvokeError();
            if (watch >= 0)
            {
                _byWatch[watch] = directory;
                _unwatched.Remove(directory);
                if (RemoteFileSystems.Holds(directory))
                {
                    _remote.Add(directory);
                }
                return;
            }
            // Not there, not allowed, or out of watches: a look at all files sees it all the same, and asks again.
            _directories.Remove(directory);
            if (_unwatched.Add(directory) && error == NoSpace && _unwatched.Count == 1)
            {
                _logger.Unwatched(directory, "fs.inotify.max_user_watches is used up", LookedAtEvery);
            }
        }
    }

    public void Dispose()
    {
        _closed = true;
        _wait.Stop();
        _thread.Join();
        _handle.Dispose();
        _wait.Dispose();
    }

    private void Run()
    {
        byte[] buffer = new byte[64 << 10];
        HashSet<string> written = [];
        List<NameChange> named = [];
        Dictionary<uint, int> moves = []; // by cookie, where in the list a move's first half stands
        while (_wait.Wait(_handle))
        {
            long got = Read(_handle, buffer, buffer.Length);
            if (got <= 0)
            {
                break;
            }
            written.Clear();
            named.Clear();
            moves.Clear();
            bool anything = Collect(buffer.AsSpan(0, (int)got), written, named, moves);
            if (_closed)
            {
                break;
            }
            foreach (NameChange change in named)
            {
                Named?.Invoke(change);
            }
            foreach (string path in written)
            {
                Hint?.Invoke(path);
            }
            if (anything)
            {
                Hint?.Invoke(null);
            }
        }
    }

    /// <summary>
    /// struct inotify_event: wd i32, mask u32, cookie u32, length u32, name[length] NUL padded; host byte order.
    /// </summary>
    private bool Collect(ReadOnlySpan<byte> events, HashSet<string> written, List<NameChange> named, Dictionary<uint, int> moves)
    {
        bool anything = false;
        while (events.Length >= EventHeader)
        {
            int watch = MemoryMarshal.Read<int>(events);
            uint mask = MemoryMarshal.Read<uint>(events[4..]);
            uint cookie = MemoryMarshal.Read<uint>(events[8..]);
            int length = MemoryMarshal.Read<int>(events[12..]);
            ReadOnlySpan<byte> name = events.Slice(EventHeader, length).TrimEnd((byte)0);
            events = events[(EventHeader + length)..];
            lock (_lock)
            {
                if ((mask & Ignored) != 0 && _byWatch.Remove(watch, out string? gone))
                {
                    _directories.Remove(gone);
                    _remote.Remove(gone);
                }
                if ((mask & Overflow) != 0 || !_byWatch.TryGetValue(watch, out string? directory) || name.IsEmpty)
                {
                    anything = true;
                }
                else if ((mask & (Modify | IsDirectory)) != 0)
                {
                    written.Add(Path.Combine(directory, PathText.Decode(name)));
                }
                else
                {
                    AddName(named, moves, mask, cookie, Path.Combine(directory, PathText.Decode(name)));
                }
            }
        }
        return anything;
    }

    /// <summary>Adds a change of a name. Both halves of a move have one cookie and come one after the other, but for what others do in between.</summary>
    private static void AddName(List<NameChange> named, Dictionary<uint, int> moves, uint mask, uint cookie, string path)
    {
        if ((mask & MovedTo) != 0 && moves.Remove(cookie, out int first))
        {
            named[first] = named[first] with { To = path };
            return;
        }
        if ((mask & MovedFrom) != 0)
        {
            moves[cookie] = named.Count;
        }
        named.Add((mask & (MovedFrom | Delete)) != 0 ? new NameChange(path, null) : new NameChange(null, path));
    }

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    private static partial int InotifyInit(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true, StringMarshallingCustomType = typeof(PathMarshaller))]
    private static partial int InotifyAddWatch(SafeFileHandle handle, string path, uint mask);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial long Read(SafeFileHandle handle, [Out] byte[] buffer, nint count);
}
