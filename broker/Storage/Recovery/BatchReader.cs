using System.Buffers;
using LogPipeline.Files;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Recovery;

/// <summary>Reads whole batches one after another and checks them, a block of the file at a time.</summary>
internal sealed class BatchReader(IFile file, long limit) : IDisposable
{
    private const int BlockSize = 256 << 10;

    private byte[] _block = ArrayPool<byte>.Shared.Rent(BlockSize);
    private long _blockPosition;
    private int _blockLength;
    private long _limit = limit;

    /// <summary>Why the last read said no.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>The batch at a position, if it is whole, sound and has the expected base offset (null: any).</summary>
    /// <param name="position">Where in the file.</param>
    /// <param name="expectedOffset">Its base offset; up to <paramref name="cleanOffset"/> it may be a later one.</param>
    /// <param name="cleanOffset">Up to here compaction may have left offsets out.</param>
    /// <param name="header">The batch's header.</param>
    public bool TryRead(long position, long? expectedOffset, long cleanOffset, out BatchHeader header)
    {
        header = default;
        ReadOnlySpan<byte> start = Bytes(position, RecordBatch.HeaderSize);
        if (start.Length < RecordBatch.HeaderSize)
        {
            return Refuse("the file ends inside a batch's header");
        }
        if (!BatchHeader.TryParse(start, out header))
        {
            return Refuse("this is no record batch of format 2");
        }
        if (expectedOffset is { } expected && header.BaseOffset != expected && (header.BaseOffset < expected || header.BaseOffset > cleanOffset))
        {
            return Refuse($"the batch says that it begins at offset {header.BaseOffset}");
        }
        if (position + header.SizeInBytes > _limit)
        {
            return Refuse($"the file ends inside the batch of {header.SizeInBytes} bytes");
        }
        return header.Crc == CrcOf(position, in header) || Refuse("the batch's checksum is wrong");
    }

    /// <summary>The file was written to: nothing read before counts.</summary>
    public void ReadAnew()
    {
        _limit = file.Length;
        _blockLength = 0;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_block);
        _block = [];
    }

    // A block at a time: a length that lies must not cost as much memory as it says.
    private uint CrcOf(long position, in BatchHeader header)
    {
        Bytes(position, Math.Min(BlockSize, header.SizeInBytes)); // whole where it fits, so that nothing is read twice
        uint state = ~0u;
        for (int at = RecordBatch.CrcFrom; at < header.SizeInBytes; at += BlockSize)
        {
            state = Crc32C.Extend(state, Bytes(position + at, Math.Min(BlockSize, header.SizeInBytes - at)));
        }
        return ~state;
    }

    private bool Refuse(string problem)
    {
        Problem = problem;
        return false;
    }

    /// <summary>Bytes from a position on, as many as asked for or fewer at the end of the file; valid until the next call.</summary>
    public ReadOnlySpan<byte> Bytes(long position, int count)
    {
        if (position < _blockPosition || position + count > _blockPosition + _blockLength)
        {
            if (count > _block.Length)
            {
                ArrayPool<byte>.Shared.Return(_block);
                _block = ArrayPool<byte>.Shared.Rent(count);
            }
            _blockPosition = position;
            _blockLength = file.ReadFully(_block.AsSpan(0, (int)Math.Min(_block.Length, Math.Max(0, _limit - position))), position);
        }
        int from = (int)(position - _blockPosition);
        return _block.AsSpan(from, Math.Min(count, _blockLength - from));
    }
}
