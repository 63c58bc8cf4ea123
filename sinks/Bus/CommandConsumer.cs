using LogPipeline.Sinks.Commands;
using MassTransit;

namespace LogPipeline.Sinks.Bus;

/// <summary>A command that waits in a sink's database, as it travels on the bus.</summary>
public sealed record DoCommand(string Sink, int Id);

/// <summary>Brings a command to the desk of its sink. What fails there is found in the table again, and sent again.</summary>
public sealed class CommandConsumer(BySink<CommandDesk> desks) : IConsumer<DoCommand>
{
    public Task Consume(ConsumeContext<DoCommand> context) =>
        desks.Find(context.Message.Sink)?.DoAsync(context.Message.Id, context.CancellationToken) ?? Task.CompletedTask;
}
