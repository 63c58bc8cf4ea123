using System.Runtime.ExceptionServices;
using ICSharpCode.SharpZipLib;
using ICSharpCode.SharpZipLib.GZip;
using LogPipeline.Files;
using ZstdSharp;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// What a compressed file holds, from its begin on; gzip and zstd. A file that ends before what it holds does, as one that is still being written,
/// throws; .NET's own GZipStream takes its end for that of the content.
/// </summary>
internal static class ArchiveStream
{
    private const int BufferBytes = 64 << 10;

    private static readonly string[] Suffixes = [".gz", ".zst"];

    /// <summary>Whether a file of this name may be one.</summary>
    public static bool IsNamedSo(string name) => Suffixes.Any(suffix => name.EndsWith(suffix, StringComparison.Ordinal));

    /// <summary>Whether an archive has the name that a compressor gives to that of a file.</summary>
    public static bool IsNamedFor(string archive, string path) => IsNamedSo(archive) && Path.ChangeExtension(archive, null) == path;

    /// <summary>Whether a file that begins so is compressed by gzip (RFC 1952).</summary>
    public static bool IsGzip(ReadOnlySpan<byte> begin) => begin.StartsWith<byte>([0x1f, 0x8b, 0x08]);

    /// <summary>Whether a file that begins so is compressed by zstd (RFC 8878).</summary>
    public static bool IsZstd(ReadOnlySpan<byte> begin) => begin.StartsWith<byte>([0x28, 0xb5, 0x2f, 0xfd]);

    /// <summary>The unpacked bytes; null when it is compressed otherwise, or not at all.</summary>
    public static Stream? Open(IFile archive)
    {
        Span<byte> magic = stackalloc byte[4];
        ReadOnlySpan<byte> begin = magic[..archive.ReadFully(magic, 0)];
        return IsGzip(begin) ? new Gzip(archive)
            : IsZstd(begin) ? new DecompressionStream(new Source(archive), leaveOpen: false)
            : null;
    }

    /// <summary>Whether a fault of reading one says that it is damaged, or cannot be read.</summary>
    public static bool IsDamage(Exception fault) => fault is IOException or SharpZipBaseException or ZstdException;

    /// <summary>Reads until the buffer is full, what the archive holds ends, or the file ends before that does.</summary>
    /// <param name="archive">The unpacked bytes.</param>
    /// <param name="buffer">Where they go.</param>
    /// <param name="isCut">Whether the file ends early: then nothing follows.</param>
    /// <returns>How many bytes were read.</returns>
    public static int Read(Stream archive, Span<byte> buffer, out bool isCut)
    {
        int length = 0;
        isCut = false;
        try
        {
            for (int read = -1; read != 0 && length < buffer.Length; length += read)
            {
                read = archive.Read(buffer[length..]);
            }
        }
        catch (Exception fault) when (IsCut(fault))
        {
            isCut = true;
        }
        return length;
    }

    /// <summary>Whether a fault says that the file ended; the library has no type of its own for that.</summary>
    private static bool IsCut(Exception fault) =>
        fault is EndOfStreamException or SharpZipBaseException { Message: "Unexpected EOF" or "EOF in header" };

    /// <summary>
    /// Where the file ends early, the library throws away what it unpacked in that call. So that is unpacked once more, byte by byte, and returned; the fault comes
    /// with the next call.
    /// </summary>
    private sealed class Gzip(IFile archive) : GZipInputStream(new Source(archive), BufferBytes)
    {
        private long _returned;
        private Exception? _end;

        public override int Read(Span<byte> buffer)
        {
            if (_end is not null)
            {
                ExceptionDispatchInfo.Throw(_end);
            }
            int read;
            try
            {
                read = base.Read(buffer);
            }
            catch (Exception fault) when (IsCut(fault))
            {
                (read, _end) = (ReadLast(buffer), fault);
                if (read == 0)
                {
                    throw;
                }
            }
            _returned += read;
            return read;
        }

        private int ReadLast(Span<byte> buffer)
        {
            using var again = new GZipInputStream(new Source(archive), BufferBytes);
            int read = 0;
            try
            {
                for (long left = _returned; left > 0; left -= Math.Min(left, buffer.Length))
                {
                    again.ReadExactly(buffer[..(int)Math.Min(left, buffer.Length)]);
                }
                while (read < buffer.Length && again.Read(buffer.Slice(read, 1)) > 0)
                {
                    read++;
                }
            }
            catch (Exception fault) when (IsCut(fault))
            {
                // There it ends.
            }
            return read;
        }
    }

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
