using LogPipeline.Client;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Sinks.Telemetry;

/// <summary>What this room tells its operator; ids 4000 to 4099.</summary>
internal static partial class SinkLog
{
    [LoggerMessage(4000, LogLevel.Information, "sink {Sink}: {Partition} goes on at offset {Offset}")]
    public static partial void Claimed(ILogger logger, string sink, TopicPartition partition, long offset);

    [LoggerMessage(4001, LogLevel.Warning, "sink {Sink}: {Reason}; given up for {Delay}")]
    public static partial void OwnershipLost(ILogger logger, string sink, string reason, TimeSpan delay);

    [LoggerMessage(4002, LogLevel.Warning, "sink {Sink}: {Reason} Next try in {Delay}.")]
    public static partial void Waiting(ILogger logger, string sink, string reason, TimeSpan delay);

    [LoggerMessage(4003, LogLevel.Error, "sink {Sink} stops: {Reason}")]
    public static partial void Stopped(ILogger logger, string sink, string reason);

    [LoggerMessage(4004, LogLevel.Debug, "sink {Sink}: {Partition} stored {Rows} rows up to offset {Offset}")]
    public static partial void Flushed(ILogger logger, string sink, TopicPartition partition, int rows, long offset);

    [LoggerMessage(4005, LogLevel.Debug, "sink {Sink}: the group's offsets could not be committed ({Reason}); they are for display only")]
    public static partial void OffsetsNotCommitted(ILogger logger, string sink, string reason);

    [LoggerMessage(4006, LogLevel.Warning, "sink {Sink}: {Partition}: {Reason}; claiming again")]
    public static partial void ClaimingAgain(ILogger logger, string sink, TopicPartition partition, string reason);

    [LoggerMessage(
        4007, LogLevel.Error, "sink {Sink}: {Reason}. Its partition waits, tried again every {Interval}: it goes on when the batch can be read, or is gone from the topic")]
    public static partial void Stuck(ILogger logger, string sink, string reason, TimeSpan interval);

    [LoggerMessage(4008, LogLevel.Information, "sink {Sink} is tried again in {Delay}")]
    public static partial void TriedAgain(ILogger logger, string sink, TimeSpan delay);

    [LoggerMessage(4009, LogLevel.Information, "sink {Sink}: the topics that {Patterns} takes are {Topics}")]
    public static partial void Topics(ILogger logger, string sink, string patterns, string topics);

    [LoggerMessage(4019, LogLevel.Warning, "sink {Sink}: its {Chore} are not kept in order, though lines are stored: {Reason} Tried again every {Delay}.")]
    public static partial void NotTended(ILogger logger, string sink, string chore, string reason, TimeSpan delay);

    [LoggerMessage(4020, LogLevel.Information, "sink {Sink}: its {Chore} are in order again")]
    public static partial void Tended(ILogger logger, string sink, string chore);

    [LoggerMessage(4010, LogLevel.Information, "{Text}")]
    public static partial void Event(ILogger logger, string text);

    [LoggerMessage(4011, LogLevel.Warning, "{Text}")]
    public static partial void Alert(ILogger logger, string text);

    [LoggerMessage(4012, LogLevel.Warning, "alert {Rule}: the rows cannot be counted: {Reason} Tried again every {Interval}.")]
    public static partial void AlertBlind(ILogger logger, string rule, string reason, TimeSpan interval);

    [LoggerMessage(4013, LogLevel.Warning, "a notice did not reach {Target}, and is not sent again: {Reason}")]
    public static partial void NoticeLost(ILogger logger, string target, string reason);

    [LoggerMessage(4023, LogLevel.Warning, "notices that were still being sent after {Patience} are given up: the process ends")]
    public static partial void NoticesGivenUp(ILogger logger, TimeSpan patience);

    [LoggerMessage(4024, LogLevel.Information, "{Program} printed: {Text}")]
    public static partial void ProgramPrinted(ILogger logger, string program, string text);

    [LoggerMessage(4014, LogLevel.Warning, "sink {Sink}: commands for it cannot be read, nor what is paused, until this passes: {Reason}")]
    public static partial void CommandsUnread(ILogger logger, string sink, string reason);

    [LoggerMessage(4022, LogLevel.Warning, "sink {Sink}: a command waits and cannot be done until this passes: {Reason}")]
    public static partial void CommandUndone(ILogger logger, string sink, string reason);

    [LoggerMessage(4015, LogLevel.Information, "sink {Sink}: {Rebuild} is {Stage} {Note}")]
    public static partial void RebuildMoved(ILogger logger, string sink, string rebuild, Rebuilding.RebuildStage stage, string note);

    [LoggerMessage(4016, LogLevel.Warning, "sink {Sink}: its table is filled by parser {Parser}, as a rebuild has it, though the configuration says {Configured}")]
    public static partial void ParserOfTable(ILogger logger, string sink, string parser, string configured);

    [LoggerMessage(4021, LogLevel.Warning, "sink {Sink}: a rebuild of its table cannot be followed: {Reason} Tried again every {Interval}.")]
    public static partial void RebuildUnfollowed(ILogger logger, string sink, string reason, TimeSpan interval);
}
