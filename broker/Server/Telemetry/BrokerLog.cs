using System.Net;
using LogPipeline.Protocol;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Telemetry;

/// <summary>Every diagnostic line of the broker, with event ids 1000 to 1099.</summary>
internal static partial class BrokerLog
{
    [LoggerMessage(1001, LogLevel.Information, "Serving on {Listeners}, data in {Directory}, cluster {ClusterId}, {Topics} topics")]
    public static partial void Serving(this ILogger logger, string listeners, string directory, string clusterId, int topics);

    [LoggerMessage(1002, LogLevel.Information, "Stopped")]
    public static partial void Stopped(this ILogger logger);

    [LoggerMessage(1003, LogLevel.Warning, "Closed the connection of {Client}: {Reason}")]
    public static partial void BadFrame(this ILogger logger, EndPoint? client, string reason);

    [LoggerMessage(1004, LogLevel.Error, "Closed the connection of {Client}: {Api} failed")]
    public static partial void RequestFailed(this ILogger logger, Exception exception, EndPoint? client, ApiKey api);

    [LoggerMessage(1005, LogLevel.Information, "Created topic {Topic} with {Partitions} partitions, id {TopicId}")]
    public static partial void TopicCreated(this ILogger logger, string topic, int partitions, Guid topicId);

    [LoggerMessage(1006, LogLevel.Information, "Deleted topic {Topic}, id {TopicId}")]
    public static partial void TopicDeleted(this ILogger logger, string topic, Guid topicId);

    [LoggerMessage(1007, LogLevel.Warning, "Known from Apache Kafka: {Remark}")]
    public static partial void SettingWithoutEffect(this ILogger logger, string remark);

    [LoggerMessage(1008, LogLevel.Information, "Group {Group} generation {Generation}: {Members} members, protocol {Protocol}")]
    public static partial void Rebalanced(this ILogger logger, string group, int generation, int members, string? protocol);

    [LoggerMessage(1009, LogLevel.Information, "Member {Member} left group {Group}: {Reason}")]
    public static partial void MemberLeft(this ILogger logger, string member, string group, string reason);

    [LoggerMessage(1010, LogLevel.Information, "Loaded {Groups} groups with {Offsets} offsets from {Records} records")]
    public static partial void GroupsLoaded(this ILogger logger, int groups, int offsets, long records);

    [LoggerMessage(1011, LogLevel.Warning, "Refused {Client}: {Connections} connections are open (max.connections); this is told once until one gets through")]
    public static partial void ConnectionRefused(this ILogger logger, EndPoint? client, int connections);

    [LoggerMessage(1012, LogLevel.Error, "Writing to {Topic}-{Partition} failed")]
    public static partial void AppendFailed(this ILogger logger, Exception exception, string topic, int partition);

    [LoggerMessage(1013, LogLevel.Information, "Topic {Topic} was found on disk without a registry entry and is served")]
    public static partial void TopicAdopted(this ILogger logger, string topic);

    [LoggerMessage(1030, LogLevel.Warning, "No snapshot of the cluster metadata could be written; the metadata log grows until one can")]
    public static partial void SnapshotRefused(this ILogger logger, Exception exception);

    [LoggerMessage(1031, LogLevel.Warning, "What was created for topic {Topic} could not be removed yet; it goes before the name is used again")]
    public static partial void RemovalPostponed(this ILogger logger, Exception exception, string topic);

    [LoggerMessage(1014, LogLevel.Information, "Closed the connection of {Client}: no byte came or went for connections.max.idle.ms")]
    public static partial void IdleClosed(this ILogger logger, EndPoint? client);

    [LoggerMessage(1015, LogLevel.Warning, "A record of {Topic}-{Partition} at offset {Offset} is not understood: {Reason}")]
    public static partial void GroupRecordSkipped(this ILogger logger, string topic, int partition, long offset, string reason);

    [LoggerMessage(1016, LogLevel.Error, "{File}: stepped over {Bytes} damaged bytes at position {Position} (offset {Offset}): {Reason}. Group offsets written there are lost")]
    public static partial void GroupLogDamaged(this ILogger logger, string file, long position, long bytes, long offset, string reason);

    [LoggerMessage(1017, LogLevel.Error, "Stepped over the batch of {Topic}-{Partition} with offsets {FirstOffset} to {LastOffset}: {Reason}")]
    public static partial void GroupBatchSkipped(this ILogger logger, string topic, int partition, long firstOffset, long lastOffset, string reason);

    [LoggerMessage(1018, LogLevel.Error, "Accepting connections on {Endpoint} fails: {Reason}. Trying on; this is told once until one gets through")]
    public static partial void AcceptRefused(this ILogger logger, EndPoint endpoint, string reason);

    [LoggerMessage(1019, LogLevel.Error, "Refused {Client}: the last file handles are kept for the logs ({Connections} connections are open). Raise the limit of open files; this is told once until one gets through")]
    public static partial void NoHandleLeft(this ILogger logger, EndPoint? client, int connections);

    [LoggerMessage(1020, LogLevel.Information, "Group {Group} has expired: it had no members for offsets.retention.minutes, and no offsets are left")]
    public static partial void GroupExpired(this ILogger logger, string group);

    [LoggerMessage(1021, LogLevel.Error, "{Topic}-{Partition} cannot be read: its groups are not available until the next start")]
    public static partial void GroupLogUnread(this ILogger logger, Exception cause, string topic, int partition);

    [LoggerMessage(1022, LogLevel.Error, "{Topic}-{Partition}: offsets by time cannot be found: {Reason}")]
    public static partial void OffsetsNotFound(this ILogger logger, string topic, int partition, string reason);

    [LoggerMessage(1040, LogLevel.Information, "Topic {Topic} has {Partitions} partitions, {Before} before")]
    public static partial void PartitionsAdded(this ILogger logger, string topic, int before, int partitions);

    [LoggerMessage(1041, LogLevel.Information, "Settings of topic {Topic} have changed")]
    public static partial void TopicSettingsChanged(this ILogger logger, string topic);

    [LoggerMessage(1042, LogLevel.Error, "Raising the start of {Partitions} partitions failed")]
    public static partial void DeleteRecordsFailed(this ILogger logger, Exception exception, int partitions);

    [LoggerMessage(1043, LogLevel.Information, "Group {Group} was deleted with its offsets")]
    public static partial void GroupDeleted(this ILogger logger, string group);

    [LoggerMessage(1044, LogLevel.Warning, "{Topic}-{Partition} at offset {Offset} could not be converted for an old client: {Reason}")]
    public static partial void NotConverted(this ILogger logger, string topic, int partition, long offset, string reason);

    [LoggerMessage(1050, LogLevel.Information, "{Topic}-{Partition} begins at offset {StartOffset} now: {Bytes} bytes were older or more than is kept")]
    public static partial void RemovedByLimits(this ILogger logger, string topic, int partition, long bytes, long startOffset);

    [LoggerMessage(1051, LogLevel.Warning, "{Topic}-{Partition} begins at offset {StartOffset} now: {Bytes} bytes went to keep all partitions within log.retention.total.bytes")]
    public static partial void RemovedByBudget(this ILogger logger, string topic, int partition, long bytes, long startOffset);

    [LoggerMessage(1052, LogLevel.Error, "The partitions have {Bytes} bytes, log.retention.total.bytes allows {Budget}, and nothing more may go: what is left is of internal or compacted topics, or was not closed")]
    public static partial void BudgetExceeded(this ILogger logger, long bytes, long budget);

    [LoggerMessage(1053, LogLevel.Error, "Old records of {Partitions} partitions stay: the disk refused to note where they begin. The next round tries again")]
    public static partial void RetentionRefused(this ILogger logger, Exception exception, int partitions);

    [LoggerMessage(1054, LogLevel.Error, "The active segment of {Topic}-{Partition} could not be closed. The next round tries again")]
    public static partial void RollRefused(this ILogger logger, Exception exception, string topic, int partition);

    [LoggerMessage(1056, LogLevel.Error, "{Topic}-{Partition} is open now, but the metadata log could not take it. The next round tries again")]
    public static partial void ReopeningPostponed(this ILogger logger, Exception exception, string topic, int partition);

    [LoggerMessage(1057, LogLevel.Warning, "Partitions that are offline were not tried again: the disk refused. The next round tries again")]
    public static partial void RetryRefused(this ILogger logger, Exception exception);

    [LoggerMessage(1058, LogLevel.Information, "{Topic}-{Partition}: what counts of its groups was written again; the log begins at offset {StartOffset} now, {Bytes} bytes went")]
    public static partial void OffsetsRewritten(this ILogger logger, string topic, int partition, long startOffset, long bytes);

    [LoggerMessage(1059, LogLevel.Error, "{Topic}-{Partition} could not be shortened: the disk refused. The next round tries again")]
    public static partial void RewriteRefused(this ILogger logger, Exception exception, string topic, int partition);

    [LoggerMessage(1055, LogLevel.Information, "{Topic}-{Partition} could be opened now, and is served")]
    public static partial void PartitionReopened(this ILogger logger, string topic, int partition);

    [LoggerMessage(1081, LogLevel.Error, "The segment of {Topic}-{Partition} from offset {SegmentOffset} on could not be checked: the disk refused. The next pass tries again")]
    public static partial void ScrubRefused(this ILogger logger, Exception exception, string topic, int partition, long segmentOffset);
}
