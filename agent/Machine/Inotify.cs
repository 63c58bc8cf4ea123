using System.Runtime.InteropServices;
using System.Text;
using LogPipeline.Agent.Tailing;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Agent.Machine;

/// <summary>
/// Linux's inotify on directories. One thread blocks in read(2) and passes on each path once a read; an overflow of the kernel's
/// queue, or anything it cannot place, becomes "anything may have changed". The lock guards the table of watches.
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
    private const int CloseOnExec = 0x80000;
    private const int EventHeader = 16;

    private readonly Lock _lock = new();
    private readonly Dictionary<int, string> _byWatch = [];
    private readonly HashSet<string> _directories = [];
    private readonly SafeFileHandle _handle;
    private readonly Thread _thread;
    private volatile bool _closed;

    private Inotify(SafeFileHandle handle)
    {
        _handle = handle;
        _thread = new Thread(Run) { Name = "inotify", IsBackground = true };
        _thread.Start();
    }

    public Action<string?>? Hint { get; set; }

    /// <summary>Null where the kernel has none to give.</summary>
    public static Inotify? TryCreate()
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }
        int descriptor = InotifyInit(CloseOnExec);
        return descriptor < 0 ? null : new Inotify(new SafeFileHandle(descriptor, ownsHandle: true));
    }

    public void Watch(string directory)
    {
        lock (_lock)
        {
            if (!_closed && _directories.Add(directory))
            {
                int watch = InotifyAddWatch(_handle, directory, Modify | MovedFrom | MovedTo | Create | Delete);
                if (watch >= 0)
                {
                    _byWatch[watch] = directory;
                }
                else
                {
                    // Not there, not allowed, or out of watches: the sweep sees it all the same, and asks again.
                    _directories.Remove(directory);
                }
            }
        }
    }

    public void Dispose()
    {
        _closed = true;
        // The thread sits in read(2) until an event comes: one is made by adding and dropping a watch of our own.
        int watch = InotifyAddWatch(_handle, "/", Create);
        _ = InotifyRemoveWatch(_handle, watch);
        _thread.Join();
        _handle.Dispose();
    }

    private void Run()
    {
        byte[] buffer = new byte[64 << 10];
        HashSet<string> changed = [];
        while (!_closed)
        {
            long got = Read(_handle, buffer, buffer.Length);
            if (got <= 0)
            {
                break;
            }
            changed.Clear();
            bool anything = Collect(buffer.AsSpan(0, (int)got), changed);
            if (_closed)
            {
                break;
            }
            foreach (string path in changed)
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
    private bool Collect(ReadOnlySpan<byte> events, HashSet<string> changed)
    {
        bool anything = false;
        while (events.Length >= EventHeader)
        {
            int watch = MemoryMarshal.Read<int>(events);
            uint mask = MemoryMarshal.Read<uint>(events[4..]);
            int length = MemoryMarshal.Read<int>(events[12..]);
            ReadOnlySpan<byte> name = events.Slice(EventHeader, length).TrimEnd((byte)0);
            events = events[(EventHeader + length)..];
            lock (_lock)
            {
                if ((mask & Ignored) != 0 && _byWatch.Remove(watch, out string? gone))
                {
                    _directories.Remove(gone);
                }
                if ((mask & Overflow) != 0 || !_byWatch.TryGetValue(watch, out string? directory) || name.IsEmpty)
                {
                    anything = true;
                }
                else
                {
                    changed.Add(Path.Combine(directory, Encoding.UTF8.GetString(name)));
                }
            }
        }
        return anything;
    }

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    private static partial int InotifyInit(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int InotifyAddWatch(SafeFileHandle handle, string path, uint mask);

    [LibraryImport("libc", EntryPoint = "inotify_rm_watch", SetLastError = true)]
    private static partial int InotifyRemoveWatch(SafeFileHandle handle, int watch);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial long Read(SafeFileHandle handle, [Out] byte[] buffer, nint count);
}
