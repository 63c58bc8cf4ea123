using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Agent.Machine;

/// <summary>Waits in Linux's poll(2) until a file descriptor has something to read, or has ended, or the wait is stopped.</summary>
internal sealed partial class ReadableWait : IDisposable
{
    private const int CloseOnExec = 0x80000;
    private const short PollIn = 1;

    private readonly SafeFileHandle _stop = new(EventFd(0, CloseOnExec), ownsHandle: true);

    /// <summary>Blocks its thread. Returns false once <see cref="Stop"/> was called, by any thread.</summary>
    public bool Wait(SafeFileHandle handle)
    {
        Span<PollEntry> entries =
        [
            new PollEntry { Descriptor = (int)handle.DangerousGetHandle(), Events = PollIn },
            new PollEntry { Descriptor = (int)_stop.DangerousGetHandle(), Events = PollIn },
        ];
        while (Poll(ref entries[0], (nuint)entries.Length, -1) < 0)
        {
            // A signal interrupted it.
        }
        return entries[1].Returned == 0;
    }

    /// <summary>Ends waits, those to come too.</summary>
    public void Stop()
    {
        long one = 1;
        _ = Write(_stop, ref one, sizeof(long));
    }

    public void Dispose() => _stop.Dispose();

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollEntry entries, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial long Write(SafeFileHandle handle, ref long value, nint count);

    /// <summary>struct pollfd.</summary>
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
