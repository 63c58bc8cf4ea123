using LogPipeline.Simulation.Kernel;

namespace LogPipeline.Simulation;

/// <summary>What one seed gave.</summary>
internal sealed record SeedResult(ulong Seed, Failure? Failure, ulong Hash, long Events, int Lines, TimeSpan Simulated, string Weather, bool TailLost, bool Removed);

/// <summary>Runs seeds, one world a thread; the first failing one, by number, is what counts.</summary>
internal static class SeedRun
{
    public static SeedResult One(ulong seed, Cast cast = Cast.Whole, Action<Story>? plant = null)
    {
        var story = new Story(seed, verbose: false, plant, cast);
        Run(story);
        return Result(story);
    }

    /// <summary>The same seed again, with its trace.</summary>
    public static (SeedResult Result, IReadOnlyList<string> Trace) Explain(ulong seed, Cast cast = Cast.Whole, Action<Story>? plant = null)
    {
        var story = new Story(seed, verbose: true, plant, cast);
        Run(story);
        return (Result(story), story.World.Trace.Lines);
    }

    /// <summary>
    /// Runs <paramref name="count"/> seeds from <paramref name="from"/> on, until one fails (unless it is to <paramref name="goOn"/>)
    /// or <paramref name="stop"/> says so.
    /// </summary>
    /// <returns>The lowest failing seed seen, or null.</returns>
    public static SeedResult? Many(
        ulong from, ulong count, Cast cast, Func<bool> stop, Action<SeedResult>? done = null, Action<Story>? plant = null,
        bool goOn = false)
    {
        ulong next = from;
        SeedResult? failed = null;
        var gate = new Lock();
        var threads = new List<Thread>();
        for (int i = 0; i < Environment.ProcessorCount; i++)
        {
            var thread = new Thread(Work, 16 << 20) { IsBackground = true };
            threads.Add(thread);
            thread.Start();
        }
        threads.ForEach(static thread => thread.Join());
        return failed;

        void Work()
        {
            while (Take() is { } seed)
            {
                SeedResult result = One(seed, cast, plant);
                lock (gate)
                {
                    done?.Invoke(result);
                    if (result.Failure is not null && (failed is null || result.Seed < failed.Seed))
                    {
                        failed = result;
                    }
                }
            }
        }

        ulong? Take()
        {
            lock (gate)
            {
                return (failed is not null && !goOn) || next >= from + count || stop() ? null : next++;
            }
        }
    }

    // What the simulator itself trips over is a failure of the seed too, not the end of all of them.
    private static void Run(Story story)
    {
        try
        {
            story.Run();
        }
        catch (Exception error)
        {
            story.World.Fail("the simulator works", error.ToString());
        }
        finally
        {
            // The runtime keeps every meter that is not disposed, and with it the whole world.
            story.World.Parts.ForEach(static part => part.Kill("the run is over"));
        }
    }

    private static SeedResult Result(Story story) => new(
        story.World.Seed, story.World.Failure, story.World.Trace.Hash, story.World.EventCount, story.Lines.Count, story.World.Now, story.Plan.ToString(),
        story.TailLost, story.Removals.Happened);
}
