using LogPipeline.Protocol;

namespace LogPipeline.Client;

/// <summary>
/// The connection broke, or was broken because an answer was overdue, while a request was under way: whether the broker acted on
/// it is unknown. Every waiter of a connection gets this one type.
/// </summary>
public sealed class BrokerConnectionException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>No broker could be reached, so nothing was sent. The message names each endpoint tried and the reason.</summary>
public sealed class BrokerUnreachableException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>A broker answered with an error code.</summary>
public class BrokerErrorException(ErrorCode code, string message) : Exception(message)
{
    /// <summary>What it answered.</summary>
    public ErrorCode Code { get; } = code;

    /// <summary>The broker's own words, where it said any.</summary>
    public string? Reason { get; init; }
}

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

/// <summary>The broker does not speak an API, or no version of it that we speak.</summary>
public sealed class UnsupportedApiException(ApiKey key, string message) : NotSupportedException(message)
{
    public ApiKey Key { get; } = key;
}

/// <summary>A record was not acknowledged within the delivery timeout; whether it was stored is unknown if it was ever sent.</summary>
public sealed class DeliveryTimeoutException(string message) : TimeoutException(message);

/// <summary>The position is outside the partition's log and the policy is to say so.</summary>
public sealed class PositionOutOfRangeException(TopicPartition partition, long position, long logStartOffset, long highWatermark)
    : Exception($"{partition}: position {position} is outside the log, which holds {logStartOffset} to {highWatermark}")
{
    public TopicPartition Partition { get; } = partition;

    public long Position { get; } = position;

    public long LogStartOffset { get; } = logStartOffset;

    public long HighWatermark { get; } = highWatermark;
}

/// <summary>The log was cut below the position: the broker no longer has what was consumed from <paramref name="divergingOffset"/> on.</summary>
public sealed class LogTruncatedException(TopicPartition partition, long position, long divergingOffset)
    : Exception($"{partition}: the log was cut to {divergingOffset}, below the position {position}")
{
    public TopicPartition Partition { get; } = partition;

    public long Position { get; } = position;

    /// <summary>First offset at which the log may differ from what was consumed.</summary>
    public long DivergingOffset { get; } = divergingOffset;
}
