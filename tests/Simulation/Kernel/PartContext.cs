namespace LogPipeline.Simulation.Kernel;

/// <summary>Queues a life's continuations in the world; those of a dead life are dropped.</summary>
internal sealed class PartContext(Life life) : SynchronizationContext
{
    public override void Post(SendOrPostCallback d, object? state)
    {
        if (life.IsAlive)
        {
            life.World.Schedule(TimeSpan.Zero, life, true, d, state);
        }
    }

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("a part must not block on its own context");

    public override SynchronizationContext CreateCopy() => this;
}
