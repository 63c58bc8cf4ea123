using System.Buffers.Binary;
using LogPipeline.Protocol.Records;
using Told = LogPipeline.Protocol.Messages.FetchResponse.Response.Partition.AbortedTransaction;

namespace LogPipeline.Client.Consuming.Fetching;

/// <summary>
/// Which batches of a fetched partition belong to transactions that were aborted. The broker tells where each began; it ends at its
/// producer's abort marker, a control batch. Asked batch by batch, in order.
/// </summary>
internal sealed class AbortedTransactions(IEnumerable<Told> told)
{
    private const short AbortMarker = 0;

    private readonly Queue<Told> _ahead = new(told.OrderBy(static transaction => transaction.FirstOffset));
    private readonly HashSet<long> _open = []; // producers in a transaction that was aborted

    /// <summary>Whether a batch's records are to be left out.</summary>
    /// <param name="header">Its header.</param>
    /// <param name="records">Its records, uncompressed; looked at in a control batch only, which is never compressed.</param>
    public bool Has(in BatchHeader header, ReadOnlySpan<byte> records)
    {
        while (_ahead.TryPeek(out Told? next) && next.FirstOffset <= header.LastOffset)
        {
            _open.Add(_ahead.Dequeue().ProducerId);
        }
        if (header.IsControl && IsAbort(records, in header))
        {
            _open.Remove(header.ProducerId);
        }
        return header.IsTransactional && _open.Contains(header.ProducerId);
    }

    // The key of a marker is a version i16 and a type i16: 0 abort, 1 commit.
    private static bool IsAbort(ReadOnlySpan<byte> records, in BatchHeader header)
    {
        var reader = new RecordReader(records, header);
        return reader.Read() && reader.Key.Length >= 4 && BinaryPrimitives.ReadInt16BigEndian(reader.Key[2..]) == AbortMarker;
    }
}
