using LogPipeline.Agent.Status;
using LogPipeline.Testing.Logging;
using LogPipeline.Testing.Time;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tests.Status;

/// <summary>What the log says while an agent works through a backlog.</summary>
public sealed class BacklogTests
{
    private readonly ManualTime _time = new();
    private readonly WarningLog _log = new() { Least = LogLevel.Information };

    [Fact]
    public void A_backlog_is_told_every_half_minute_with_rate_and_time_left_and_when_it_is_sent()
    {
        var backlog = new Backlog(_time, _log);
        long lag = 1_000_000_000;
        for (int second = 0; lag > 0; second++)
        {
            backlog.Note(lag, second == 0 ? 0 : 10_000_000);
            lag -= 10_000_000;
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(
        [
            "Backlog: 700 MB to send at 10.0 MB/s, 1 min 10 s left", "Backlog: 400 MB to send at 10.0 MB/s, 40 s left",
            "Backlog: 100 MB to send at 10.0 MB/s, 10 s left", "Backlog: sent",
        ], _log.Lines);
    }

    [Fact]
    public void A_backlog_that_grows_says_so_and_a_small_one_says_nothing()
    {
        var backlog = new Backlog(_time, _log);
        for (int second = 0; second <= 30; second++)
        {
            backlog.Note(Backlog.Least - 1, 0);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Empty(_log.Lines);
        for (int second = 0; second <= 30; second++)
        {
            backlog.Note(200_000_000 + (second * 1000), 0);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(["Backlog: 200 MB to send at 0 B/s, and it does not become less"], _log.Lines);
    }
}
