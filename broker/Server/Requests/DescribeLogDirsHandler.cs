using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Storage;
using Asked = LogPipeline.Protocol.Messages.DescribeLogDirsRequest.Topic;
using Directory = LogPipeline.Protocol.Messages.DescribeLogDirsResponse.Result;
using Told = LogPipeline.Protocol.Messages.DescribeLogDirsResponse.Result.Topic;

namespace LogPipeline.Broker.Requests;

/// <summary>DescribeLogDirs: how much each partition takes, and what room the volume has. A broker has one directory.</summary>
internal sealed class DescribeLogDirsHandler(TopicRegistry topics, DataDirectory directory)
    : RequestHandler<DescribeLogDirsRequest, DescribeLogDirsResponse>
{
    protected override ValueTask<DescribeLogDirsResponse?> AnswerAsync(
        DescribeLogDirsRequest request, RequestContext context, CancellationToken cancellation)
    {
        var described = new Directory { LogDir = Path.GetFullPath(directory.RootPath) };
        try
        {
            described.TotalBytes = directory.TotalBytes;
            described.UsableBytes = directory.FreeBytes;
            described.Topics.AddRange(request.Topics is null ? topics.All.Select(topic => Describe(topic, null)) : Wanted(request.Topics));
        }
        catch (IOException)
        {
            described.ErrorCode = ErrorCode.KafkaStorageError;
        }
        return new(new DescribeLogDirsResponse { Results = [described] });
    }

    /// <summary>Those of the asked-for partitions that are here; the others are left out, as in Kafka.</summary>
    private IEnumerable<Told> Wanted(List<Asked> asked) =>
        from wanted in asked.GroupBy(topic => topic.Name, topic => topic.Partitions, StringComparer.Ordinal)
        let topic = topics.Find(wanted.Key)
        where topic is not null
        let told = Describe(topic, [.. wanted.SelectMany(partitions => partitions)])
        where told.Partitions.Count > 0
        select told;

    private static Told Describe(Topic topic, HashSet<int>? wanted) => new()
    {
        Name = topic.Name,
        Partitions =
        [
            .. from log in topic.Partitions.Select(partition => partition.Log).OfType<PartitionLog>()
               where wanted is null || wanted.Contains(log.Partition)
               select new Told.Partition { PartitionIndex = log.Partition, PartitionSize = log.SizeBytes },
        ],
    };
}
