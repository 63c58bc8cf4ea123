using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Files.Linux;

/// <summary>
/// An exclusive lock on a lock file, held by an open file description: it ends with Dispose or with the process. The file's content,
/// the holder's process id, only serves the error message of a second process.
/// </summary>
internal static unsafe class LinuxLock
{
    public static IDisposable Take(string path)
    {
        SafeFileHandle handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            var wanted = new FileLock { Type = FileLock.Write };
            if (LibC.fcntl(handle, LibC.OpenFileLockSet, &wanted) != 0)
            {
                int errno = System.Runtime.InteropServices.Marshal.GetLastPInvokeError();
                throw errno is LibC.TryAgain or LibC.AccessDenied
                    ? new DirectoryLockedException(path, HolderIn(handle))
                    : LibC.Error("lock", path);
            }
            RandomAccess.SetLength(handle, 0);
            RandomAccess.Write(handle, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"), 0);
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private static string HolderIn(SafeFileHandle handle)
    {
        Span<byte> text = stackalloc byte[32];
        string holder = Encoding.ASCII.GetString(text[..RandomAccess.Read(handle, text, 0)]).Trim();
        return holder.Length > 0 ? $"process {holder}" : "another process";
    }
}
