using MassTransit;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>
/// A rebuild's way from stage to stage. The row in the sink's database is what has happened; the saga follows it, and on entering a stage has its step taken.
/// So a process that starts enters at whatever stage the row says, and one of several processes may be ahead of another.
/// <code>
/// Requested → ShadowCreated → Filling → CaughtUp → Verified → Swapped
///     └────────────┴─────────────┴──────────┴──────────┴────→ Aborted
/// </code>
/// </summary>
public sealed class RebuildSaga : MassTransitStateMachine<RebuildInstance>
{
    public RebuildSaga()
    {
        InstanceState(saga => saga.CurrentState);
        Event(() => Moved, moved => moved.CorrelateById(context => context.Message.Saga));
        (RebuildStage Stage, State State)[] way =
        [
            (RebuildStage.Requested, Requested), (RebuildStage.ShadowCreated, ShadowCreated), (RebuildStage.Filling, Filling), (RebuildStage.CaughtUp, CaughtUp),
            (RebuildStage.Verified, Verified), (RebuildStage.Swapped, Swapped), (RebuildStage.Aborted, Aborted),
        ];
        Leads(Initial, way);
        for (int i = 0; i < way.Length; i++)
        {
            (RebuildStage stage, State state) = way[i];
            if (stage < RebuildStage.Swapped)
            {
                Leads(state, way[(i + 1)..]);
                WhenEnter(state, entered => entered.Publish(context => new TakeRebuildStep(context.Saga.CorrelationId, context.Saga.Sink, context.Saga.Rebuild, stage)));
            }
            else
            {
                WhenEnter(state, entered => entered.Finalize());
            }
        }
        SetCompletedWhenFinalized();
    }

    public State Requested { get; private set; } = null!;

    public State ShadowCreated { get; private set; } = null!;

    public State Filling { get; private set; } = null!;

    public State CaughtUp { get; private set; } = null!;

    public State Verified { get; private set; } = null!;

    public State Swapped { get; private set; } = null!;

    public State Aborted { get; private set; } = null!;

    public Event<RebuildMoved> Moved { get; private set; } = null!;

    private void Leads(State from, IEnumerable<(RebuildStage Stage, State State)> to) => During(from, [.. to.Select(next =>
        When(Moved, context => context.Message.Stage == next.Stage)
            .Then(context => (context.Saga.Sink, context.Saga.Rebuild) = (context.Message.Sink, context.Message.Id))
            .TransitionTo(next.State))]);
}

/// <summary>Where a saga is, in this process.</summary>
public sealed class RebuildInstance : SagaStateMachineInstance
{
    public Guid CorrelationId { get; set; }

    public string CurrentState { get; set; } = "";

    public string Sink { get; set; } = "";

    public int Rebuild { get; set; }
}

/// <summary>Has a step taken by the runner of its sink. What passes, such as a database that is away, is tried again by the bus.</summary>
public sealed class RebuildStepConsumer(BySink<RebuildRunner> runners) : IConsumer<TakeRebuildStep>
{
    public async Task Consume(ConsumeContext<TakeRebuildStep> context)
    {
        TakeRebuildStep step = context.Message;
        if (runners.Find(step.Sink) is { } runner)
        {
            RebuildStage reached = await runner.TakeAsync(step);
            await context.Publish(new RebuildMoved(step.Saga, step.Sink, step.Id, reached));
        }
    }
}
