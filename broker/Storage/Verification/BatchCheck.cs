using LogPipeline.Files;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol;
using LogPipeline.Storage.Recovery;

namespace LogPipeline.Storage.Verification;

/// <summary>Checks one batch after another of a segment's file: header, place, checksum, and every record in it.</summary>
internal sealed class BatchCheck(IFile file, long length, long cleanOffset) : IDisposable
{
    private readonly BatchReader _reader = new(file, length);
    private readonly BatchDecoder _decoder = new();

    /// <summary>Why the last batch was refused.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>The last batch's header; where its checksum is wrong it may be all there is of it.</summary>
    public BatchHeader Header { get; private set; }

    /// <param name="position">Where the batch begins.</param>
    /// <param name="expectedOffset">Its base offset; null where damage before it has hidden that.</param>
    public bool IsSound(long position, long? expectedOffset)
    {
        bool isWhole = _reader.TryRead(position, expectedOffset, cleanOffset, out BatchHeader header);
        Header = header;
        string? problem = isWhole ? RecordsProblem(_reader.Bytes(position, header.SizeInBytes), in header) : _reader.Problem;
        Problem = problem ?? "";
        return problem is null;
    }

    /// <summary>Where the next sound batch with a later offset begins behind a damaged one; the file's end when there is none.</summary>
    /// <param name="damaged">Where the damaged one begins.</param>
    /// <param name="nextOffset">The least offset of a batch behind it.</param>
    public long NextSound(long damaged, long nextOffset)
    {
        // A batch whose header still looks right is stepped over whole; otherwise each byte may begin the next one.
        long after = damaged + Header.SizeInBytes;
        if (Header.Magic == 2 && Header.BatchLength > 0 && after < length && Follows(after))
        {
            return after;
        }
        long next = damaged + 1;
        while (next < length && !Follows(next))
        {
            next++;
        }
        return next;

        bool Follows(long position) => IsSound(position, expectedOffset: null) && Header.BaseOffset >= nextOffset;
    }

    public void Dispose()
    {
        _reader.Dispose();
        _decoder.Dispose();
    }

    private string? RecordsProblem(ReadOnlySpan<byte> batch, in BatchHeader header)
    {
        try
        {
            // Compaction leaves records out and keeps the offsets of the others, down to a batch without records.
            if (header.NextOffset <= cleanOffset)
            {
                var records = new RecordReader(_decoder.Records(batch, in header), in header);
                while (records.Read())
                {
                }
                return null;
            }
            return header.RecordCount - 1 == header.LastOffsetDelta
                ? RecordScan.Problem(_decoder.Records(batch, in header), in header, out _)
                : $"{header.RecordCount} records, with a last offset delta of {header.LastOffsetDelta}";
        }
        catch (Exception e) when (e is CorruptRecordException or UnsupportedCompressionException)
        {
            return e.Message;
        }
    }
}
