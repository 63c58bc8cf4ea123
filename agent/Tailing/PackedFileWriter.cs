using System.Buffers.Binary;
using LogPipeline.Agent.State;
using LogPipeline.Files;
using ZstdSharp;

namespace LogPipeline.Agent.Tailing;

/// <summary>Writes a <see cref="PackedFile"/>. Nothing is durable before the file is flushed.</summary>
/// <param name="file">An empty file, which stays its owner's.</param>
internal sealed class PackedFileWriter(IFile file) : IDisposable
{
    private const int Level = 1; // the fastest: the agent's loop compresses

    private readonly Compressor _compressor = new(Level);
    private readonly byte[] _frame = new byte[PackedFile.FrameHeader + Compressor.GetCompressBound(PackedFile.FrameBytes)];
    private long _at;

    /// <summary>Adds the bytes that follow: <see cref="PackedFile.FrameBytes"/>, or fewer if they are the last.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        int packed = _compressor.Wrap(bytes, _frame.AsSpan(PackedFile.FrameHeader));
        Write(bytes.Length, packed, Checksum.Of(_frame.AsSpan(PackedFile.FrameHeader, packed)));
    }

    /// <summary>Ends the file: from now on it is whole.</summary>
    public void End() => Write(0, 0, 0);

    public void Dispose() => _compressor.Dispose();

    private void Write(int length, int packed, uint crc)
    {
        if (_at == 0)
        {
            file.Write(PackedFile.Magic, 0);
            _at = PackedFile.Magic.Length;
        }
        BinaryPrimitives.WriteInt32BigEndian(_frame, length);
        BinaryPrimitives.WriteInt32BigEndian(_frame.AsSpan(4), packed);
        BinaryPrimitives.WriteUInt32BigEndian(_frame.AsSpan(8), crc);
        file.Write(_frame.AsSpan(0, PackedFile.FrameHeader + packed), _at);
        _at += PackedFile.FrameHeader + packed;
    }
}
