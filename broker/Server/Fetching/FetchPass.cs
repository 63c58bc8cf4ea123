using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;
using LogPipeline.Storage;
using Answer = LogPipeline.Protocol.Messages.FetchResponse.Response.Partition;

namespace LogPipeline.Broker.Fetching;

// Size rules: partitions in the order asked; the first batch found goes out whole whatever its size; after it each partition adds
// what fits into the rest, in whole batches.
/// <summary>Reads all partitions of a fetch once. The answer made from it owns what was found; without an answer, dispose it.</summary>
internal sealed class FetchPass : IDisposable
{
    private readonly TopicRegistry _topics;
    private readonly bool _byTopicId;
    private readonly bool _readCommitted;
    private int _left;

    public FetchPass(TopicRegistry topics, FetchTurn turn, FetchRequest request, short version, int bytesMax)
    {
        _topics = topics;
        _byTopicId = version >= 13;
        _readCommitted = request.IsolationLevel == 1;
        _left = Math.Min(request.MaxBytes, bytesMax);
        var read = new List<FetchedPartition>(turn.Partitions.Count);
        foreach (FetchPartition asked in turn.Partitions)
        {
            read.Add(Read(asked));
        }
        Partitions = read;
    }

    public IReadOnlyList<FetchedPartition> Partitions { get; }

    /// <summary>Bytes of records found.</summary>
    public int Bytes { get; private set; }

    /// <summary>Whether something must be told at once, whatever MinBytes says.</summary>
    public bool IsUrgent { get; private set; }

    /// <summary>Lets go of the records found.</summary>
    public void Dispose()
    {
        foreach (FetchedPartition partition in Partitions)
        {
            partition.Answer.Records.Source?.Dispose();
        }
    }

    private FetchedPartition Read(FetchPartition asked)
    {
        var answer = new Answer { PartitionIndex = asked.Key.Partition, HighWatermark = -1 };
        var fetched = new FetchedPartition(asked, answer);
        Topic? topic = _byTopicId ? _topics.Find(asked.Key.TopicId) : _topics.Find(asked.Key.Topic);
        Partition? partition = topic?.Partition(asked.Key.Partition);
        answer.ErrorCode = partition is not null ? partition.CheckLeader(asked.CurrentLeaderEpoch)
            : topic is null && _byTopicId ? ErrorCode.UnknownTopicId
            : ErrorCode.UnknownTopicOrPartition;
        if (answer.ErrorCode == ErrorCode.None)
        {
            Read(partition!, asked, answer);
        }
        IsUrgent |= fetched.IsError || answer.DivergingEpoch is not null;
        return fetched;
    }

    private void Read(Partition partition, FetchPartition asked, Answer answer)
    {
        if (Diverges(partition, asked) is { } diverging)
        {
            answer.DivergingEpoch = diverging;
        }
        else
        {
            int bytesMax = Math.Max(0, Math.Min(asked.BytesMax, _left));
            answer.ErrorCode = partition.Read(asked.Offset, bytesMax, wholeFirstBatch: Bytes == 0, out LogSlice slice);
            if (answer.ErrorCode != ErrorCode.None)
            {
                return;
            }
            Take(answer, slice);
        }
        answer.HighWatermark = partition.HighWatermark;
        answer.LastStableOffset = partition.LastStableOffset;
        answer.LogStartOffset = partition.LogStartOffset;
        answer.AbortedTransactions = _readCommitted ? [] : null;
    }

    private void Take(Answer answer, LogSlice slice)
    {
        if (slice.Length > 0)
        {
            answer.Records = new RecordSet(slice);
            Bytes += slice.Length;
            _left -= slice.Length;
        }
    }

    /// <summary>Where the client's log and ours part, when the epoch it read last ends before its offset here.</summary>
    private static Answer.EpochEndOffset? Diverges(Partition partition, FetchPartition asked)
    {
        if (asked.LastFetchedEpoch < 0)
        {
            return null;
        }
        (int epoch, long end) = partition.EndOffsetForEpoch(asked.LastFetchedEpoch);
        return epoch < asked.LastFetchedEpoch || end < asked.Offset ? new() { Epoch = epoch, EndOffset = end } : null;
    }
}
