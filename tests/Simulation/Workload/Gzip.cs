using System.IO.Compression;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation.Workload;

/// <summary>gzip at work on a rotated file: the archive grows beside it, and once that is on the disk the file is deleted.</summary>
internal sealed class Gzip
{
    public const string Suffix = ".gz";

    private readonly MemoryFileSystem _files;
    private readonly LogFile _original;
    private readonly LogFile _archive;
    private readonly byte[] _packed;
    private int _written;

    public Gzip(MemoryFileSystem files, LogFile original, TimeSpan now)
    {
        _files = files;
        _original = original;
        using var packed = new MemoryStream();
        using (var stream = new GZipStream(packed, CompressionLevel.Fastest))
        {
            stream.Write(original.Read());
        }
        _packed = packed.ToArray();
        string path = original.Path + Suffix;
        if (files.FileExists(path))
        {
            files.Delete(path); // what an earlier try left
        }
        _archive = new LogFile(files, path, now);
    }

    /// <summary>Whether a file of this name is an archive.</summary>
    public static bool IsNamedSo(string name) => name.EndsWith(Suffix, StringComparison.Ordinal);

    /// <summary>Writes so many bytes more, if there are so many.</summary>
    public void Write(int count)
    {
        count = Math.Min(count, _packed.Length - _written);
        _archive.AppendBytes(_packed.AsSpan(_written, count));
        _written += count;
    }

    /// <summary>Writes the rest, gives the archive the original's time of modification, and deletes the original. Returns the archive.</summary>
    public LogFile Finish()
    {
        Write(_packed.Length);
        _files.Disk.SetModifiedTime(_archive.Path, _files.Stat(_original.Path)!.Value.ModifiedTime);
        _archive.Sync();
        _files.FlushDirectory(AppServer.Logs);
        _archive.TakeLinesOf(_original);
        return _archive;
    }

    /// <summary>What a packed file holds, as far as it is there: of one that was being written when power failed, any part may be.</summary>
    public static byte[] Unpack(byte[] packed)
    {
        using var stream = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        try
        {
            stream.CopyTo(plain);
        }
        catch (InvalidDataException)
        {
            // What comes before the damage is unpacked.
        }
        return plain.ToArray();
    }
}
