using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Benchmarks;

/// <summary>
/// What it costs to make one commit durable on the real disk, by how its place in the file came to be: reserved by fallocate, or
/// written before; and by how it is written: write and fdatasync, or O_DSYNC|O_DIRECT. Decides how the journal writes.
/// </summary>
internal static unsafe partial class JournalSync
{
    private const int FileBytes = 64 << 20;
    private const int Commits = 3000;
    private const int Alignment = 4096;
    private const int ReadWrite = 2;
    private const int Create = 0x40;
    private const int Truncate = 0x200;
    private const int DataSync = 0x1000;
    private const int Direct = 0x4000;

    public static void Run(string directory, TextWriter output)
    {
        System.IO.Directory.CreateDirectory(directory);
        string path = Path.Combine(directory, "journal-sync");
        output.WriteLine("one commit                     bytes    p50 us    p99 us   CPU us");
        foreach (int bytes in (int[])[4 << 10, 16 << 10, 64 << 10, 256 << 10])
        {
            Measure(output, "fallocate, fdatasync", path, bytes, isWritten: false, flags: 0);
            Measure(output, "overwritten, fdatasync", path, bytes, isWritten: true, flags: 0);
            Measure(output, "overwritten, O_DSYNC|O_DIRECT", path, bytes, isWritten: true, flags: DataSync | Direct);
        }
        File.Delete(path);
    }

    private static void Measure(TextWriter output, string name, string path, int bytes, bool isWritten, int flags)
    {
        Prepare(path, isWritten);
        using SafeFileHandle file = Open(path, ReadWrite | flags);
        byte* block = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
        new Random(1).NextBytes(new Span<byte>(block, bytes));
        var latencies = new List<double>(Commits);
        TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        for (long position = 0; latencies.Count < Commits && position + bytes <= FileBytes; position += bytes)
        {
            long begun = Stopwatch.GetTimestamp();
            if (pwrite(file, block, (nuint)bytes, position) != bytes || ((flags & DataSync) == 0 && fdatasync(file) != 0))
            {
                throw new IOException($"{name}: errno {Marshal.GetLastPInvokeError()}");
            }
            latencies.Add(Stopwatch.GetElapsedTime(begun).TotalMicroseconds);
        }
        double used = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMicroseconds / latencies.Count;
        NativeMemory.AlignedFree(block);
        latencies.Sort();
        output.WriteLine($"{name,-30}{bytes,6}{latencies[latencies.Count / 2],10:F0}{latencies[latencies.Count * 99 / 100],10:F0}{used,9:F0}");
    }

    private static void Prepare(string path, bool isWritten)
    {
        using SafeFileHandle file = Open(path, ReadWrite | Create | Truncate);
        if (isWritten)
        {
            byte[] zeros = new byte[1 << 20];
            for (long position = 0; position < FileBytes; position += zeros.Length)
            {
                RandomAccess.Write(file, zeros, position);
            }
        }
        else if (fallocate(file, 0, 0, FileBytes) != 0)
        {
            throw new IOException("fallocate");
        }
        _ = fdatasync(file);
    }

    private static SafeFileHandle Open(string path, int flags)
    {
        int descriptor = open(path, flags, 0x1b4);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw new IOException($"open {path}");
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pwrite(SafeFileHandle file, byte* bytes, nuint count, long position);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(SafeFileHandle file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fallocate(SafeFileHandle file, int mode, long position, long length);
}
