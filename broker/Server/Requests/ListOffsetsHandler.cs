using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Storage;
using Microsoft.Extensions.Logging;
using Answer = LogPipeline.Protocol.Messages.ListOffsetsResponse.Topic.Partition;
using Asked = LogPipeline.Protocol.Messages.ListOffsetsRequest.Topic.Partition;

namespace LogPipeline.Broker.Requests;

/// <summary>ListOffsets: where a partition begins and ends, and offsets by time.</summary>
internal sealed class ListOffsetsHandler(TopicRegistry topics, TimeProvider time, ILogger logger) : RequestHandler<ListOffsetsRequest, ListOffsetsResponse>
{
    private const long Latest = -1;
    private const long Earliest = -2;
    private const long MaxTimestamp = -3;
    private const long EarliestLocal = -4;
    private const long LatestTiered = -5;
    private const long EarliestPendingUpload = -6;

    protected override ValueTask<ListOffsetsResponse?> AnswerAsync(
        ListOffsetsRequest request, RequestContext context, CancellationToken cancellation)
    {
        var response = new ListOffsetsResponse();
        HashSet<(string, int)> repeated = Repeated(request);
        foreach (ListOffsetsRequest.Topic topic in request.Topics)
        {
            response.Topics.Add(new()
            {
                Name = topic.Name,
                Partitions = [.. topic.Partitions.DistinctBy(asked => asked.PartitionIndex).Select(asked => repeated.Contains((topic.Name, asked.PartitionIndex))
                    ? new() { PartitionIndex = asked.PartitionIndex, ErrorCode = ErrorCode.InvalidRequest }
                    : Find(topic.Name, asked, context.Version))],
            });
        }
        return new(response);
    }

    /// <summary>Partitions that are named more than once: which of the answers were meant for which question is not clear.</summary>
    private static HashSet<(string, int)> Repeated(ListOffsetsRequest request)
    {
        var seen = new HashSet<(string, int)>();
        return [.. request.Topics
            .SelectMany(topic => topic.Partitions.Select(asked => (topic.Name, asked.PartitionIndex)))
            .Where(key => !seen.Add(key))];
    }

    private Answer Find(string topic, Asked asked, short version)
    {
        var answer = new Answer { PartitionIndex = asked.PartitionIndex };
        answer.ErrorCode = PartitionCheck.Find(topics, topic, asked.PartitionIndex, asked.CurrentLeaderEpoch, out Partition partition);
        if (answer.ErrorCode == ErrorCode.None)
        {
            try
            {
                Fill(answer, partition, asked, version);
            }
            catch (IOException e)
            {
                // Damage or a refusing disk concerns this partition alone.
                logger.OffsetsNotFound(partition.Topic, partition.Number, e.Message);
                answer.ErrorCode = e is CorruptLogException ? ErrorCode.CorruptMessage : ErrorCode.KafkaStorageError;
            }
        }
        return answer;
    }

    private void Fill(Answer answer, Partition partition, Asked asked, short version)
    {
        switch (asked.Timestamp)
        {
            case >= Earliest when version == 0:
                answer.OldStyleOffsets = OldStyleOffsets.Before(partition, asked.Timestamp, asked.MaxNumOffsets, time.GetUtcNow().ToUnixTimeMilliseconds());
                break;
            case Latest:
                (answer.Offset, answer.LeaderEpoch) = (partition.HighWatermark, partition.LeaderEpoch);
                break;
            case Earliest:
            case EarliestLocal when version >= 8:
                (answer.Offset, answer.LeaderEpoch) = (partition.LogStartOffset, partition.StartEpoch);
                break;
            case MaxTimestamp when version >= 7:
                Fill(answer, partition.MaxTimestamp());
                break;
            case LatestTiered when version >= 9:
            case EarliestPendingUpload when version >= 11:
                break;
            case >= 0:
                Fill(answer, partition.OffsetForTime(asked.Timestamp));
                break;
            default:
                answer.ErrorCode = ErrorCode.UnsupportedVersion;
                break;
        }
    }

    private static void Fill(Answer answer, TimedOffset? found)
    {
        if (found is { } record)
        {
            (answer.Offset, answer.Timestamp, answer.LeaderEpoch) = (record.Offset, record.Timestamp, record.LeaderEpoch);
        }
    }
}
