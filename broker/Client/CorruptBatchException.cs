using LogPipeline.Protocol;

namespace LogPipeline.Client;

/// <summary>
/// What a broker sent at an offset is no record batch, or not the one that was written, or cannot be decoded: its
/// <see cref="ErrorCode.CorruptMessage"/>, whether it noticed or not. The position stands at the offset; a seek beyond it reads on.
/// </summary>
public sealed class CorruptBatchException(TopicPartition partition, long offset, string reason)
    : BrokerErrorException(ErrorCode.CorruptMessage, $"{partition}: the batch at offset {offset} cannot be read: {reason}")
{
    public TopicPartition Partition { get; } = partition;

    public long Offset { get; } = offset;
}
