using System.IO.Compression;
using LogPipeline.Files;
using ZstdSharp;

namespace LogPipeline.Agent.Tests.Scripted;

/// <summary>Files that are compressed and deleted.</summary>
internal static class Compression
{
    /// <summary>Compresses a file as logrotate does, by gzip or, to a name that ends in .zst, by zstd; the archive has the file's time.</summary>
    public static void Compress(this AgentRig rig, string path, string to)
    {
        rig.Append(Packed(rig, path, to), to);
        rig.Disk.SetModifiedTime(to, rig.Machine.Stat(path)!.Value.ModifiedTime);
        rig.Machine.Delete(path);
    }

    /// <summary>What compressing a file to a name makes of it.</summary>
    public static byte[] Packed(this AgentRig rig, string path, string to)
    {
        byte[] bytes = AtomicFile.ReadAll(rig.Machine, path)!;
        byte[] packed;
        if (to.EndsWith(".zst", StringComparison.Ordinal))
        {
            using var compressor = new Compressor();
            packed = compressor.Wrap(bytes).ToArray();
        }
        else
        {
            using var memory = new MemoryStream();
            using (var gzip = new GZipStream(memory, CompressionMode.Compress))
            {
                gzip.Write(bytes);
            }
            packed = memory.ToArray();
        }
        return packed;
    }
}
