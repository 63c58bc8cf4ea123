using System.IO.Compression;

namespace LogPipeline.Protocol.Compression;

/// <summary>RFC 1952: writes one member, reads several.</summary>
internal sealed class GzipCompressor(int level) : ICompressor
{
    private readonly ZLibCompressionOptions _options = new() { CompressionLevel = level };

    public int Compress(ReadOnlySpan<byte> plain, ref byte[] buffer, int start)
    {
        using var output = new GrowingStream(buffer, start);
        using (var gzip = new GZipStream(output, _options, leaveOpen: true))
        {
            gzip.Write(plain);
        }
        buffer = output.Buffer;
        return output.End;
    }

    public unsafe int Decompress(ReadOnlySpan<byte> packed, ref byte[] buffer, int bytesMax)
    {
        if (packed.IsEmpty)
        {
            throw new CorruptRecordException("gzip: no member");
        }
        fixed (byte* bytes = packed)
        {
            using var input = new UnmanagedMemoryStream(bytes, packed.Length);
            using var gzip = new GZipStream(input, CompressionMode.Decompress);
            int length = 0;
            try
            {
                while (true)
                {
                    PooledBytes.Grow(ref buffer, Math.Max(length + 1, Math.Min(packed.Length * 4, bytesMax)), keep: length, most: bytesMax + 1);
                    int read = gzip.Read(buffer, length, Math.Min(buffer.Length, bytesMax + 1) - length);
                    if (read == 0)
                    {
                        return length;
                    }
                    length += read;
                    if (length > bytesMax)
                    {
                        throw Compressors.TooLong("gzip", bytesMax);
                    }
                }
            }
            catch (InvalidDataException e)
            {
                throw new CorruptRecordException("gzip: " + e.Message, e);
            }
        }
    }

    public void Dispose()
    {
    }

    /// <summary>Writes into a pooled buffer that grows.</summary>
    private sealed class GrowingStream(byte[] buffer, int start) : Stream
    {
        private byte[] _buffer = buffer;

        public byte[] Buffer => _buffer;

        public int End { get; private set; } = start;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => End;

        public override long Position { get => End; set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> bytes)
        {
            PooledBytes.Grow(ref _buffer, End + bytes.Length, keep: End);
            bytes.CopyTo(_buffer.AsSpan(End));
            End += bytes.Length;
        }

        public override void Write(byte[] bytes, int offset, int count) => Write(bytes.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] bytes, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
