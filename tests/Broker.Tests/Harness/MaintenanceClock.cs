using LogPipeline.Testing.Time;

namespace LogPipeline.Broker.Tests.Harness;

/// <summary>Moves the clock of a broker whose rounds of maintenance the test waits for: what the loop waits for next says where it is.</summary>
/// <param name="time">The broker's clock.</param>
/// <param name="interval">Its log.retention.check.interval.ms, which no other timer has.</param>
internal sealed class MaintenanceClock(ManualTime time, TimeSpan interval)
{
    private static readonly TimeSpan Gap = TimeSpan.FromSeconds(1); // the pause after each round

    private readonly TimeSpan[] _waits = [interval, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10)]; // also the first, and on a full disk

    /// <summary>Lets time pass, at least the longest wait; returns when a round that began thereafter is over.</summary>
    public async Task PassAsync(TimeSpan wait)
    {
        await SettleAsync();
        time.Advance(wait);
        await time.UntilDueInAsync(Gap);
    }

    /// <summary>Returns when no round is under way and none is due.</summary>
    public async Task SettleAsync()
    {
        while (true)
        {
            Task pause = time.UntilDueInAsync(Gap);
            if (await Task.WhenAny([pause, .. _waits.Select(time.UntilDueInAsync)]) != pause)
            {
                return;
            }
            time.Advance(Gap);
        }
    }
}
