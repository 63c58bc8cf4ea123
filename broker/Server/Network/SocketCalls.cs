using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Broker.Network;

/// <summary>The Linux calls behind <see cref="EventLoop"/> and <see cref="SocketTransport"/>; all sockets are non-blocking.</summary>
internal static unsafe partial class SocketCalls
{
    public const int Interrupted = 4;
    public const int TryAgain = 11;

    /// <summary>More follows at once, so that a header and the file region behind it share segments.</summary>
    public const int More = 0x8000;
    public const int NoSignal = 0x4000;

    public const int EpollCloseOnExec = 0x80000;
    public const int EpollAdd = 1;
    public const int EpollModify = 3;
    public const uint EventIn = 0x1;
    public const uint EventOut = 0x4;
    public const uint EventError = 0x8;
    public const uint EventHangUp = 0x10;
    public const uint EventPeerClosed = 0x2000;
    public const uint EdgeTriggered = 1u << 31;

    private const int OpenFiles = 7; // RLIMIT_NOFILE

    /// <summary>How many file handles this process may have open.</summary>
    public static long HandleLimit()
    {
        ulong* limits = stackalloc ulong[2]; // struct rlimit: soft, hard
        return getrlimit(OpenFiles, limits) == 0 ? (long)Math.Min(limits[0], int.MaxValue) : int.MaxValue;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getrlimit(int resource, ulong* limits);

    [LibraryImport("libc", SetLastError = true)]
    public static partial SafeFileHandle epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_ctl(SafeFileHandle epoll, int operation, SafeHandle socket, byte* description);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_wait(SafeFileHandle epoll, byte* events, int eventsMax, int timeoutMs);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint recv(SafeHandle socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint send(SafeHandle socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint sendfile(SafeHandle socket, SafeFileHandle file, long* position, nint length);
}

/// <summary>An array of struct epoll_event: events u32, data u64; packed on x86 alone.</summary>
internal static class EpollEvents
{
    public static readonly int Size = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86 ? 12 : 16;

    public static uint Flags(ReadOnlySpan<byte> events, int index) => MemoryMarshal.Read<uint>(events[(index * Size)..]);

    public static long Data(ReadOnlySpan<byte> events, int index) => MemoryMarshal.Read<long>(events[((index * Size) + Size - 8)..]);

    public static void Write(Span<byte> description, uint flags, long data)
    {
        MemoryMarshal.Write(description, in flags);
        MemoryMarshal.Write(description[(Size - 8)..], in data);
    }
}
