using System.Diagnostics;

namespace LogPipeline.Simulation.Kernel;

/// <summary>
/// One simulated run: a seed, a virtual clock and one queue of events. Everything happens on the thread that calls
/// <see cref="Run"/>; time passes only when nothing is ready. Two runs of one seed are equal, event by event.
/// </summary>
/// <remarks>
/// A continuation that reaches another thread (Task.Run, ConfigureAwait(false) on a product's completion source) would end
/// that, so each seam asks <see cref="CheckThread"/>, and the run fails with the stack that leaked.
/// </remarks>
public sealed class World
{
    private const int InstantEventsMax = 400_000;

    private readonly PriorityQueue<Event, Moment> _queue = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly bool _shuffled;
    private long _sequence;
    private int _eventsThisInstant;
    private volatile string? _leak;

    public World(ulong seed, bool verbose = false)
    {
        Seed = seed;
        // Random's own seed is an int; the mixing keeps neighbouring seeds apart.
        Random = new Random((int)Mix(seed));
        Trace = new Trace(this, verbose);
        // Half of the seeds run what is ready first come, first served; the others in any order, as a thread pool may.
        _shuffled = Random.Next(2) == 0;
    }

    public ulong Seed { get; }

    public Random Random { get; }

    public Trace Trace { get; }

    /// <summary>Virtual time since the run began.</summary>
    public TimeSpan Now { get; private set; }

    public long EventCount { get; private set; }

    /// <summary>The first broken rule; the run ends there.</summary>
    public Failure? Failure { get; private set; }

    public List<Part> Parts { get; } = [];

    /// <summary>Records a broken rule. Only the first counts.</summary>
    public void Fail(string rule, string what)
    {
        if (Failure is null)
        {
            Failure = new Failure(rule, what, Now);
            Trace.Say(null, $"FAILED {rule}: {what}");
        }
    }

    /// <summary>Whether a chance of <paramref name="probability"/> came true.</summary>
    public bool Chance(double probability) => probability > 0 && Random.NextDouble() < probability;

    /// <summary>A span between the two, evenly.</summary>
    public TimeSpan Between(TimeSpan least, TimeSpan most) =>
        new(least.Ticks + (long)(Random.NextDouble() * (most.Ticks - least.Ticks)));

    /// <summary>Runs <paramref name="action"/> after <paramref name="delay"/>, outside every part.</summary>
    public void After(TimeSpan delay, Action action) => Schedule(delay, null, false, static state => ((Action)state!)(), action);

    /// <summary>Runs <paramref name="action"/> after <paramref name="delay"/> unless <paramref name="life"/> ended before; without
    /// a synchronization context, so that a library's ConfigureAwait(false) goes on on this thread.</summary>
    public void After(TimeSpan delay, Life life, Action action) =>
        Schedule(delay, life, false, static state => ((Action)state!)(), action);

    internal void Schedule(TimeSpan delay, Life? life, bool inContext, SendOrPostCallback callback, object? state)
    {
        if (!IsOnThread("an event was queued"))
        {
            return;
        }
        uint tie = _shuffled ? (uint)Random.Next() : 0;
        _queue.Enqueue(new Event(callback, state, life, inContext), new Moment((Now + delay).Ticks, tie, _sequence++));
    }

    /// <summary>Lets events happen until <paramref name="done"/>, a failure, nothing left, or virtual time <paramref name="until"/>.</summary>
    /// <returns>Whether <paramref name="done"/> was reached.</returns>
    public bool Run(TimeSpan until, Func<bool>? done = null)
    {
        SynchronizationContext? outside = SynchronizationContext.Current;
        try
        {
            while (Failure is null && done?.Invoke() != true)
            {
                if (!_queue.TryPeek(out _, out Moment moment) || moment.Ticks > until.Ticks)
                {
                    Now = until;
                    break;
                }
                Step(_queue.Dequeue(), moment);
            }
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outside);
        }
        if (_leak is not null)
        {
            Fail("one thread", _leak);
        }
        return Failure is null && done?.Invoke() == true;
    }

    private void Step(in Event happening, in Moment moment)
    {
        if (moment.Ticks > Now.Ticks)
        {
            Now = new TimeSpan(moment.Ticks);
            _eventsThisInstant = 0;
        }
        if (++_eventsThisInstant > InstantEventsMax)
        {
            Fail("time passes", $"{InstantEventsMax} events without time passing; the last belongs to {happening.Life?.Part.Name}");
            return;
        }
        if (_leak is not null)
        {
            Fail("one thread", _leak);
            return;
        }
        if (happening.Life is { IsAlive: false })
        {
            return;
        }
        if (happening.Life is { } frozen && frozen.FrozenUntil > Now)
        {
            _queue.Enqueue(happening, moment with { Ticks = frozen.FrozenUntil.Ticks });
            return;
        }
        EventCount++;
        Trace.Note(moment.Ticks, happening.Life?.Part.Ordinal ?? -1);
        SynchronizationContext.SetSynchronizationContext(happening.InContext ? happening.Life!.Context : null);
        try
        {
            happening.Callback(happening.State);
        }
        catch (Exception error) when (happening.Life is not null)
        {
            happening.Life.Die(error);
        }
    }

    /// <summary>Notes a leak when the caller is not on the world's thread.</summary>
    internal void CheckThread(string what)
    {
        if (!IsOnThread(what))
        {
            throw new InvalidOperationException(_leak);
        }
    }

    private bool IsOnThread(string what)
    {
        if (Environment.CurrentManagedThreadId == _thread)
        {
            return true;
        }
        _leak ??= $"{what} on another thread than the world's:\n{new StackTrace(1, fNeedFileInfo: true)}";
        return false;
    }

    internal static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }

    private readonly record struct Event(SendOrPostCallback Callback, object? State, Life? Life, bool InContext);

    private readonly record struct Moment(long Ticks, uint Tie, long Sequence) : IComparable<Moment>
    {
        public int CompareTo(Moment other) =>
            Ticks != other.Ticks ? Ticks.CompareTo(other.Ticks)
            : Tie != other.Tie ? Tie.CompareTo(other.Tie)
            : Sequence.CompareTo(other.Sequence);
    }
}

/// <summary>A broken rule.</summary>
public sealed record Failure(string Rule, string What, TimeSpan At);
