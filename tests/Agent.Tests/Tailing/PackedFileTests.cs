using LogPipeline.Agent.Tailing;
using LogPipeline.Files;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.Tailing;

public sealed class PackedFileTests
{
    private const string Path = "/packed";

    private readonly MemoryFileSystem _files = new(new MemoryDisk(TimeProvider.System));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(PackedFile.FrameBytes - 1)]
    [InlineData(PackedFile.FrameBytes)]
    [InlineData(PackedFile.FrameBytes + 1)]
    [InlineData((2 * PackedFile.FrameBytes) + 12345)]
    public void It_reads_at_any_position_as_the_file_did(int length)
    {
        var random = new Random(length);
        byte[] bytes = Text(random, length);
        Pack(bytes);
        using var packed = new PackedFile(_files.Open(Path, FileOpenMode.Read), new UnpackedFrame());
        Assert.Equal(length, packed.Length);
        Assert.Equal(length, packed.Status().Length);
        byte[] read = new byte[length + 1];
        Assert.Equal(length, packed.ReadFully(read, 0));
        Assert.Equal(bytes, read[..length]);
        for (int i = 0; i < 200; i++)
        {
            int at = random.Next(length + 1);
            int size = Math.Min(random.Next(3000), length - at);
            Assert.Equal(size, packed.ReadFully(read.AsSpan(0, size), at));
            Assert.Equal(bytes.AsSpan(at, size), read.AsSpan(0, size));
        }
        Assert.Equal(0, packed.Read(read, length));
    }

    [Fact]
    public void One_that_was_cut_anywhere_is_not_whole()
    {
        Pack(Text(new Random(1), PackedFile.FrameBytes + 500));
        using IFile file = _files.Open(Path, FileOpenMode.ReadWrite);
        var random = new Random(2);
        for (long length = file.Length - 1; length >= 0; length -= random.Next(1, (int)Math.Max(2, length / 30)))
        {
            file.SetLength(length);
            Assert.Null(PackedFile.LengthOf(file));
        }
    }

    [Fact]
    public void A_flipped_bit_is_never_read()
    {
        var random = new Random(3);
        byte[] bytes = Text(random, PackedFile.FrameBytes + 500);
        Pack(bytes);
        using IFile file = _files.Open(Path, FileOpenMode.ReadWrite);
        byte[] packed = new byte[file.Length];
        file.ReadFully(packed, 0);
        byte[] read = new byte[bytes.Length];
        for (int i = 0; i < 300; i++)
        {
            int at = i < 40 ? i % packed.Length : random.Next(packed.Length);
            byte flipped = (byte)(packed[at] ^ (1 << random.Next(8)));
            file.Write([flipped], at);
            try
            {
                using var damaged = new PackedFile(_files.Open(Path, FileOpenMode.Read), new UnpackedFrame());
                int got = damaged.ReadFully(read, 0);
                Assert.Fail($"byte {at} was flipped, and {got} bytes are read");
            }
            catch (IOException)
            {
                // as it should be
            }
            file.Write(packed.AsSpan(at, 1), at);
        }
    }

    private void Pack(byte[] bytes)
    {
        using IFile file = _files.Open(Path, FileOpenMode.CreateNew);
        using var writer = new PackedFileWriter(file);
        for (int at = 0; at < bytes.Length; at += PackedFile.FrameBytes)
        {
            writer.Add(bytes.AsSpan(at, Math.Min(PackedFile.FrameBytes, bytes.Length - at)));
        }
        writer.End();
    }

    private static byte[] Text(Random random, int length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = (byte)('a' + random.Next(6));
        }
        return bytes;
    }
}
