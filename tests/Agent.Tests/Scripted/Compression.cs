using System.IO.Compression;
using LogPipeline.Files;
using ZstdSharp;

namespace LogPipeline.Agent.Tests.Scripted;

/// <summary>Files that are compressed and deleted.</summary>
internal static class Compression
{
    /// <summary>Compresses a file as logrotate does, by gzip or, to a name that ends in .zst, by zstd.</summary>
    public static void Compress(this AgentRig rig, string path, string to)
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
        rig.Append(packed, to);
        rig.Machine.Delete(path);
    }
}
