using LogPipeline.Sinks.Telemetry;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Sinks.Events;

/// <summary>Tells of notices that a target did not take however often it was tried.</summary>
public sealed class LostNotices(NoticeTargets targets, ILogger<LostNotices> logger) : IConsumer<Fault<SinkNotice>>
{
    public Task Consume(ConsumeContext<Fault<SinkNotice>> context)
    {
        string target = context.SourceAddress?.Segments[^1] switch
        {
            nameof(CommandRunner) => $"the program {targets.Command[0]}",
            string other => other,
            null => "a target",
        };
        SinkLog.NoticeLost(logger, target, context.Message.Exceptions[0].Message);
        return Task.CompletedTask;
    }
}
