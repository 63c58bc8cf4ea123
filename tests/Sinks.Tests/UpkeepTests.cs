using LogPipeline.Files;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Sqlite;
using LogPipeline.Sinks.Workers;
using LogPipeline.Testing.Logging;
using LogPipeline.Testing.Time;

namespace LogPipeline.Sinks.Tests;

public sealed class UpkeepTests
{
    [Fact]
    public async Task A_chore_that_fails_is_shown_and_told_once_until_it_is_done_again()
    {
        string directory = Directory.CreateTempSubdirectory("logpipe-upkeep-").FullName;
        string file = Path.Combine(directory, "logs.db");
        var time = new ManualTime();
        var log = new WarningLog();
        await using var store = new SqliteStore("web", new SqliteOptions { File = file, Retention = TimeSpan.FromDays(30) }, new NoParser(), new OsFileSystem(), new Random(1), time: time);
        await store.OpenAsync(default);
        File.Move(file, file + ".away");
        using var stop = new CancellationTokenSource();
        var upkeep = new Upkeep("web", store, new SinkEnvironment { Random = new Random(1), Time = time, Logger = log });
        Task running = upkeep.RunAsync(stop.Token);
        for (int failures = 0; failures < 3; failures++)
        {
            await time.UntilDueInAsync(TimeSpan.FromSeconds(10));
            Assert.StartsWith($"its old rows are not kept in order: SQLite file {file} was moved or removed", upkeep.Problem, StringComparison.Ordinal);
            if (failures == 2)
            {
                File.Move(file + ".away", file);
            }
            time.AdvanceToNextTimer();
        }
        await time.UntilDueInAsync(TimeSpan.FromHours(1));
        Assert.Null(upkeep.Problem);
        Assert.Single(log.Lines, line => line.Contains("old rows", StringComparison.Ordinal));
        await stop.CancelAsync();
        await running;
        Directory.Delete(directory, recursive: true);
    }
}
