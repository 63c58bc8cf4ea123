using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;
using LogPipeline.Storage;
using Answer = LogPipeline.Protocol.Messages.FetchResponse.Response.Partition;

namespace LogPipeline.Broker.Fetching;

// Size rules: partitions in the order asked; the first batch found goes out whole whatever its size; after it each partition adds
// what fits into the rest, in whole batches. Clients of versions before 3 expect something of every partition, and give no limit for all:
// each gets its first batch whole while the limit for converted answers leaves room.
/// <summary>Reads all partitions of a fetch once. The answer made from it owns what was found; without an answer, dispose it.</summary>
internal sealed class FetchPass : IDisposable
{
    /// <summary>The most that is read at once of a partition whose records are converted.</summary>
    public const int ConvertedReadBytesMax = 1 << 20;

    /// <summary>The most that is read for one answer whose records are converted, and so kept in memory until they are sent.</summary>
    private const int ConvertedBytesMax = 2 << 20;

    private readonly TopicRegistry _topics;
    private readonly bool _readCommitted;
    private readonly FetchVersion _version;
    private readonly bool _isReplica;
    private int _left;

    public FetchPass(TopicRegistry topics, FetchTurn turn, FetchRequest request, FetchVersion version, int bytesMax)
    {
        _topics = topics;
        _version = version;
        _readCommitted = request.IsolationLevel == 1;
        _isReplica = (request.ReplicaState?.ReplicaId ?? request.ReplicaId) >= 0;
        _left = Math.Min(Math.Min(request.MaxBytes, bytesMax), version.IsConverted ? ConvertedBytesMax : int.MaxValue);
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

    /// <summary>Notes that the records found were converted; whatever was found is enough to answer.</summary>
    public void Converted()
    {
        Bytes = Partitions.Sum(static partition => partition.Answer.Records.Length);
        IsUrgent |= Bytes > 0 || Partitions.Any(static partition => partition.IsError);
    }

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
        Topic? topic = _version.HasTopicIds ? _topics.Find(asked.Key.TopicId) : _topics.Find(asked.Key.Topic);
        Partition? partition = topic?.Partition(asked.Key.Partition);
        asked.FoundName = topic?.Name ?? asked.FoundName;
        answer.ErrorCode = partition is null ? Missing(topic, asked)
            : _isReplica ? ErrorCode.NotLeaderOrFollower // no broker keeps a copy of ours
            : partition.CheckLeader(asked.CurrentLeaderEpoch);
        if (answer.ErrorCode == ErrorCode.None)
        {
            answer.ErrorCode = Refusal(topic!.Settings.Records);
        }
        if (answer.ErrorCode == ErrorCode.None)
        {
            fetched.Source = partition;
            Read(partition!, asked, answer);
        }
        IsUrgent |= fetched.IsError || answer.DivergingEpoch is not null;
        return fetched;
    }

    // In a session the topic may have been found before: then it was deleted, or is another one by now.
    private ErrorCode Missing(Topic? topic, FetchPartition asked) =>
        topic is not null || !_version.HasTopicIds ? ErrorCode.UnknownTopicOrPartition
        : asked.FoundName is null ? ErrorCode.UnknownTopicId
        : _topics.Find(asked.FoundName) is null ? ErrorCode.UnknownTopicOrPartition
        : ErrorCode.InconsistentTopicId;

    private void Read(Partition partition, FetchPartition asked, Answer answer)
    {
        if (Diverges(partition, asked) is { } diverging)
        {
            if (diverging.Epoch < 0)
            {
                answer.ErrorCode = ErrorCode.OffsetOutOfRange; // an epoch that never was: nothing can be said of where the logs part
                return;
            }
            answer.DivergingEpoch = diverging;
        }
        else
        {
            bool wholeFirstBatch = Bytes == 0 || (!_version.LimitsAll && _left > 0);
            answer.ErrorCode = partition.Read(asked.Offset, ReadBytesMax(asked), wholeFirstBatch, out LogSlice slice);
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

    /// <summary>Bytes that one more read may find.</summary>
    private int ReadBytesMax(FetchPartition asked) =>
        Math.Max(0, Math.Min(Math.Min(asked.BytesMax, _left), _version.IsConverted ? ConvertedReadBytesMax : int.MaxValue));

    /// <summary>What a topic's settings keep from clients of this version.</summary>
    private ErrorCode Refusal(RecordSettings settings) =>
        settings.Codec == CompressionCodec.Zstd && !_version.KnowsZstd ? ErrorCode.UnsupportedCompressionType
        : _version.IsConverted && !settings.ConvertsDown ? ErrorCode.UnsupportedVersion
        : ErrorCode.None;

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
