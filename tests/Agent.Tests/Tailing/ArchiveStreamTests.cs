using System.IO.Compression;
using System.Text;
using LogPipeline.Agent.Tailing;
using LogPipeline.Files;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.Tailing;

public sealed class ArchiveStreamTests
{
    private const string Path = "/a.gz";

    private readonly MemoryFileSystem _files = new(new MemoryDisk(TimeProvider.System));

    /// <summary>.NET's own stream is the measure: it ends where the file does.</summary>
    [Theory]
    [InlineData(30, 1)]
    [InlineData(3_000, 97)]
    public void Of_a_file_that_is_cut_all_is_unpacked_that_is_there(int lines, int step)
    {
        byte[] plain = Text(lines);
        byte[] packed = Packed(plain);
        for (int length = 20; length < packed.Length; length += step)
        {
            byte[] unpacked = Unpack(packed[..length], out bool isCut);
            Assert.True(isCut);
            using var measure = new MemoryStream();
            using (var stream = new GZipStream(new MemoryStream(packed[..length]), CompressionMode.Decompress))
            {
                stream.CopyTo(measure);
            }
            Assert.Equal(measure.ToArray(), unpacked);
        }
        Assert.Equal(plain, Unpack(packed, out bool isWholeCut));
        Assert.False(isWholeCut);
    }

    /// <summary>gzip files may lie end to end.</summary>
    [Fact]
    public void Of_two_archives_in_one_the_first_is_whole_though_the_second_is_cut()
    {
        byte[] first = Text(100);
        byte[] both = [.. Packed(first), .. Packed(Text(200))];
        byte[] unpacked = Unpack(both[..(Packed(first).Length + 5)], out bool isCut);
        Assert.True(isCut);
        Assert.Equal(first, unpacked);
    }

    private static byte[] Text(int lines)
    {
        var random = new Random(lines);
        return Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, lines).Select(i => $"line {i} of {random.Next()}\n")));
    }

    private static byte[] Packed(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var stream = new GZipStream(packed, CompressionLevel.Fastest))
        {
            stream.Write(plain);
        }
        return packed.ToArray();
    }

    private byte[] Unpack(byte[] packed, out bool isCut)
    {
        AtomicFile.Replace(_files, Path, packed);
        using IFile file = _files.Open(Path, FileOpenMode.Read);
        using Stream archive = ArchiveStream.Open(file)!;
        using var unpacked = new MemoryStream();
        byte[] block = new byte[64 << 10];
        int read;
        do
        {
            read = ArchiveStream.Read(archive, block, out isCut);
            unpacked.Write(block, 0, read);
        }
        while (read == block.Length);
        return unpacked.ToArray();
    }
}
