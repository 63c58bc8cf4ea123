using System.Globalization;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Tailing;
using LogPipeline.Files;

namespace LogPipeline.Agent.Resending;

/// <summary>What a compressed file holds, in a temporary file whose name is deleted at once: the file is gone when it is closed or the process ends.</summary>
internal static class UnpackedFile
{
    private const int BlockBytes = 64 << 10;

    /// <summary>Unpacks a file.</summary>
    /// <param name="files">The disk.</param>
    /// <param name="archive">The compressed file.</param>
    /// <returns>What it holds, which the caller closes; null when it is not compressed by gzip or zstd.</returns>
    /// <exception cref="ResendRefusedException">It is damaged, or the directory for temporary files does not take it.</exception>
    public static IFile? Open(IFileSystem files, string archive)
    {
        using IFile packed = files.Open(archive, FileOpenMode.Read);
        using Stream? content = ArchiveStream.Open(packed);
        return content is null ? null : Unpack(files, archive, content);
    }

    /// <summary>Returns the first bytes of what a file holds; none when it is not compressed by gzip or zstd, or cannot be read.</summary>
    public static byte[] Head(IFileSystem files, string archive)
    {
        try
        {
            using IFile packed = files.Open(archive, FileOpenMode.Read);
            using Stream? content = ArchiveStream.Open(packed);
            byte[] head = new byte[Fingerprint.LengthMax];
            return content is null ? [] : head[..content.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        }
        catch (Exception fault) when (ArchiveStream.IsDamage(fault))
        {
            return [];
        }
    }

    private static IFile Unpack(IFileSystem files, string archive, Stream content)
    {
        string directory = Path.GetTempPath();
        IFile? unpacked = null;
        bool isWhole = false;
        try
        {
            unpacked = Create(files, directory);
            byte[] block = new byte[BlockBytes];
            for (long length = 0; Read(archive, content, block) is > 0 and int read; length += read)
            {
                unpacked.Write(block.AsSpan(0, read), length);
            }
            isWhole = true;
            return unpacked;
        }
        catch (IOException refused)
        {
            throw new ResendRefusedException($"{archive} cannot be unpacked in {directory}: {refused.Message}; TMPDIR names another directory; nothing is sent");
        }
        finally
        {
            if (!isWhole)
            {
                unpacked?.Dispose();
            }
        }
    }

    private static IFile Create(IFileSystem files, string directory)
    {
        string path = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"logpipe-resend-{Environment.ProcessId}"));
        files.CreateDirectory(directory);
        IFile created = files.Open(path, FileOpenMode.CreateNew);
        files.Delete(path);
        return created;
    }

    private static int Read(string archive, Stream content, byte[] block)
    {
        try
        {
            return content.ReadAtLeast(block, block.Length, throwOnEndOfStream: false);
        }
        catch (Exception fault) when (ArchiveStream.IsDamage(fault))
        {
            throw new ResendRefusedException($"{archive} cannot be unpacked: {fault.Message}; nothing is sent");
        }
    }
}
