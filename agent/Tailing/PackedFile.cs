using System.Buffers.Binary;
using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Win32.SafeHandles;
using ZstdSharp;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// A compressed file that is read as if it was not: in frames, so that any position can be read. Integers are big-endian:
/// <code>
///   magic     "LPK1"
///   frame *   length i32 | packed length i32 | crc u32, CRC-32C of the packed bytes | packed bytes (zstd, RFC 8878)
///   end       length i32 = 0 | packed length i32 = 0 | crc u32 = 0
/// </code>
/// All frames but the last are of 1 MiB; a file without its end is not whole. Owned by the agent's loop.
/// </summary>
internal sealed class PackedFile : IFile
{
    public const int FrameHeader = 12;

    /// <summary>What each frame but the last unpacks to.</summary>
    public const int FrameBytes = 1 << 20;

    private readonly IFile _file;
    private readonly UnpackedFrame _unpacked;
    private readonly List<Frame> _frames = [];

    /// <param name="file">The packed file; closed with this one.</param>
    /// <param name="unpacked">Where a frame is unpacked to; shared by all packed files, since one is read at a time and many are open.</param>
    /// <exception cref="IOException">It is not whole.</exception>
    public PackedFile(IFile file, UnpackedFrame unpacked)
    {
        (_file, _unpacked) = (file, unpacked);
        Length = Index(file, _frames) ?? throw new IOException($"{file.Path} is no packed file, or is not whole");
    }

    public static ReadOnlySpan<byte> Magic => "LPK1"u8;

    public string Path => _file.Path;

    public long Length { get; }

    public SafeFileHandle? Handle => null;

    public int Read(Span<byte> buffer, long position)
    {
        if (position >= Length)
        {
            return 0;
        }
        ReadOnlySpan<byte> rest = Unpacked((int)(position / FrameBytes))[(int)(position % FrameBytes)..];
        rest = rest[..Math.Min(rest.Length, buffer.Length)];
        rest.CopyTo(buffer);
        return rest.Length;
    }

    /// <summary>What it is as a file on the disk, with the length that it reads with.</summary>
    public FileStatus Status() => _file.Status() with { Length = Length };

    /// <summary>The length that a packed file reads with; null when it is not whole.</summary>
    public static long? LengthOf(IFile file) => Index(file, []);

    public void Dispose() => _file.Dispose();

    public void Write(ReadOnlySpan<byte> bytes, long position) => throw new NotSupportedException();

    public void Flush() => throw new NotSupportedException();

    public ValueTask FlushAsync(bool beginNow = false) => throw new NotSupportedException();

    public ValueTask WriteBackAsync(long position, long length) => throw new NotSupportedException();

    public void SetLength(long length) => throw new NotSupportedException();

    public bool Reserve(long length) => throw new NotSupportedException();

    private ReadOnlySpan<byte> Unpacked(int at)
    {
        Frame frame = _frames[at];
        if (!_unpacked.Holds(this, at))
        {
            byte[] packed = new byte[frame.PackedLength];
            if (_file.ReadFully(packed, frame.At) < packed.Length || Checksum.Of(packed) != frame.Crc
                || _unpacked.Unpack(this, at, packed) != frame.Length)
            {
                _unpacked.Forget();
                throw new IOException($"{Path} is damaged at byte {frame.At}");
            }
        }
        return _unpacked.Bytes[..frame.Length];
    }

    private static long? Index(IFile file, List<Frame> frames)
    {
        Span<byte> header = stackalloc byte[FrameHeader];
        long size = file.Length;
        if (file.ReadFully(header[..Magic.Length], 0) < Magic.Length || !header.StartsWith(Magic))
        {
            return null;
        }
        long length = 0;
        for (long at = Magic.Length; file.ReadFully(header, at) == header.Length;)
        {
            var frame = new Frame(
                at + FrameHeader,
                BinaryPrimitives.ReadInt32BigEndian(header),
                BinaryPrimitives.ReadInt32BigEndian(header[4..]),
                BinaryPrimitives.ReadUInt32BigEndian(header[8..]));
            if (frame.Length == 0)
            {
                return length;
            }
            if (length % FrameBytes != 0 || frame.Length is < 0 or > FrameBytes || frame.PackedLength < 0 || frame.PackedLength > size - frame.At)
            {
                return null;
            }
            frames.Add(frame);
            length += frame.Length;
            at = frame.At + frame.PackedLength;
        }
        return null;
    }

    /// <param name="At">Where the packed bytes lie.</param>
    /// <param name="Length">How many bytes they unpack to.</param>
    /// <param name="PackedLength">How many bytes they are packed.</param>
    /// <param name="Crc">CRC-32C of the packed bytes.</param>
    private readonly record struct Frame(long At, int Length, int PackedLength, uint Crc);
}

/// <summary>The frame that was read last, of whatever packed file. Owned by the agent's loop.</summary>
internal sealed class UnpackedFrame
{
    private byte[] _bytes = [];
    private (PackedFile? File, int Frame) _held;

    public ReadOnlySpan<byte> Bytes => _bytes;

    public bool Holds(PackedFile file, int frame) => _held == (file, frame);

    /// <summary>Unpacks a frame; returns how many bytes it has, -1 where it cannot be unpacked.</summary>
    public int Unpack(PackedFile file, int frame, ReadOnlySpan<byte> packed)
    {
        _bytes = _bytes.Length > 0 ? _bytes : GC.AllocateUninitializedArray<byte>(PackedFile.FrameBytes);
        _held = (file, frame);
        using var decompressor = new Decompressor();
        return decompressor.TryUnwrap(packed, _bytes, out int length) ? length : -1;
    }

    public void Forget() => _held = default;
}
