using LogPipeline.Protocol;

namespace LogPipeline.Cli.KafkaTools;

/// <summary>How Kafka's Java client calls the error codes: most are the code's name and <c>Exception</c>.</summary>
internal static class JavaException
{
    public static string NameOf(ErrorCode code) => $"org.apache.kafka.common.errors.{Name(code)}";

    private static string Name(ErrorCode code) => code switch
    {
        ErrorCode.TopicAlreadyExists => "TopicExistsException",
        ErrorCode.InvalidConfig => "InvalidConfigurationException",
        ErrorCode.NonEmptyGroup => "GroupNotEmptyException",
        ErrorCode.RequestTimedOut => "TimeoutException",
        ErrorCode.MessageTooLarge => "RecordTooLargeException",
        ErrorCode.InvalidTopicException => "InvalidTopicException",
        ErrorCode.CorruptMessage => "CorruptRecordException",
        ErrorCode.NotLeaderOrFollower => "NotLeaderOrFollowerException",
        _ => $"{code}Exception",
    };
}
