using System.IO.Compression;
using LogPipeline.Files;
using ZstdSharp;

namespace LogPipeline.Agent.Tailing;

/// <summary>What a compressed file holds, from its begin on; gzip and zstd.</summary>
internal static class ArchiveStream
{
    private static readonly string[] Suffixes = [".gz", ".zst"];

    /// <summary>Whether a file of this name may be one.</summary>
    public static bool IsNamedSo(string name) => Suffixes.Any(suffix => name.EndsWith(suffix, StringComparison.Ordinal));

    /// <summary>Whether a file that begins so is compressed by gzip (RFC 1952).</summary>
    public static bool IsGzip(ReadOnlySpan<byte> begin) => begin.StartsWith<byte>([0x1f, 0x8b, 0x08]);

    /// <summary>Whether a file that begins so is compressed by zstd (RFC 8878).</summary>
    public static bool IsZstd(ReadOnlySpan<byte> begin) => begin.StartsWith<byte>([0x28, 0xb5, 0x2f, 0xfd]);

    /// <summary>The unpacked bytes; null when it is compressed otherwise, or not at all.</summary>
    public static Stream? Open(IFile archive)
    {
        Span<byte> magic = stackalloc byte[4];
        ReadOnlySpan<byte> begin = magic[..archive.ReadFully(magic, 0)];
        return IsGzip(begin) ? new GZipStream(new Source(archive), CompressionMode.Decompress)
            : IsZstd(begin) ? new DecompressionStream(new Source(archive), leaveOpen: false)
            : null;
    }

    /// <summary>Whether a fault of reading one says that it is damaged, or cannot be read.</summary>
    public static bool IsDamage(Exception fault) => fault is IOException or InvalidDataException or ZstdException;

    /// <summary>A file read from its begin on; the file stays its owner's.</summary>
    private sealed class Source(IFile file) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get; set; }

        public override int Read(Span<byte> buffer)
        {
            int read = file.Read(buffer, Position);
            Position += read;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
