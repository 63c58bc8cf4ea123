using LogPipeline.Sinks.Commands;

namespace LogPipeline.Sinks.Tests;

/// <summary>Sinks are paused and resumed by commands that other processes leave in their database.</summary>
[Collection("postgres")]
public sealed class CommandTests(PostgresFixture postgres)
{
    private const string By = "alice@web-1";

    private static readonly SinkPause Whole = new(null, null, DateTimeOffset.UnixEpoch, By);
    private static readonly SinkPause Third = new("web_log", 3, DateTimeOffset.UnixEpoch, By);

    private async Task<SinkOptions> OptionsAsync(SinkScene scene, bool isPostgres) =>
        (isPostgres ? scene.Postgres(await postgres.NewDatabaseAsync()) : scene.Sqlite()) with { Parser = "none" };

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await holds())
        {
            await Task.Delay(50, late.Token);
        }
    }

    private static async Task<CommandOutcome> DoneAsync(CommandTable commands, SinkAction action, int? partition = null, string? topic = null)
    {
        SinkCommand command = await commands.AddAsync(action, topic, partition, By, default);
        await UntilAsync(async () => (await commands.FindAsync(command.Id, default))!.Outcome is not null);
        return (await commands.FindAsync(command.Id, default))!.Outcome!;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_paused_partition_stores_nothing_while_others_go_on_and_goes_on_where_it_stopped(bool isPostgres)
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = await OptionsAsync(scene, isPostgres);
        await using RunningSink running = await RunningSink.StartAsync(options);
        await using var commands = new CommandTable(options, TimeProvider.System);
        await scene.SendAsync(0, ["before"]);
        await UntilAsync(async () => await SinkScene.CountAsync(options) == 1);
        CommandOutcome paused = await DoneAsync(commands, SinkAction.Pause, 0, "web_log");
        Assert.True(paused.Succeeded);
        Assert.Equal(("web_log-0 is paused", Environment.MachineName), (paused.Text, paused.By));
        await scene.SendAsync(0, ["held 1", "held 2"]);
        await scene.SendAsync(1, ["other"]);
        await UntilAsync(async () => await SinkScene.CountAsync(options) >= 2);
        Assert.Equal(2, await SinkScene.CountAsync(options));
        Assert.StartsWith("web_log-0 paused by alice@web-1 since ", running.Pauses.Text, StringComparison.Ordinal);
        Assert.Null(running.Sink.Problem);
        Assert.Equal("web_log-0 goes on", (await DoneAsync(commands, SinkAction.Resume, 0, "web_log")).Text);
        await UntilAsync(async () => await SinkScene.CountAsync(options) == 4);
        Assert.True((await SinkScene.VerifyAsync(options)).Passed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_pause_outlasts_a_restart(bool isPostgres)
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = await OptionsAsync(scene, isPostgres);
        await using var commands = new CommandTable(options, TimeProvider.System);
        await using (await RunningSink.StartAsync(options))
        {
            Assert.True((await DoneAsync(commands, SinkAction.Pause)).Succeeded);
        }
        await scene.SendAsync(0, ["line 1", "line 2"]);
        await using RunningSink again = await RunningSink.StartAsync(options);
        await UntilAsync(() => Task.FromResult(again.Pauses.IsKnown));
        Assert.StartsWith("paused by alice@web-1 since ", again.Pauses.Text, StringComparison.Ordinal);
        CommandOutcome refused = await DoneAsync(commands, SinkAction.Resume, 1);
        Assert.False(refused.Succeeded);
        Assert.StartsWith("the sink is paused as a whole, and is resumed as a whole", refused.Text, StringComparison.Ordinal);
        Assert.Equal(0, await SinkScene.CountAsync(options));
        Assert.True((await DoneAsync(commands, SinkAction.Resume)).Succeeded);
        await UntilAsync(async () => await SinkScene.CountAsync(options) == 2);
        Assert.Null(again.Pauses.Text);
        Assert.True((await SinkScene.VerifyAsync(options)).Passed);
    }

    [Fact]
    public async Task A_command_for_a_sink_that_does_not_run_is_done_when_it_does()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = await OptionsAsync(scene, isPostgres: true);
        await using var commands = new CommandTable(options, TimeProvider.System);
        SinkCommand pause = await commands.AddAsync(SinkAction.Pause, null, null, By, default);
        SinkCommand resume = await commands.AddAsync(SinkAction.Resume, null, null, "bob@web-2", default);
        Assert.Equal([pause.Id, resume.Id], (await commands.LookAsync(default)).Waiting.Select(command => command.Id));
        await scene.SendAsync(0, ["line 1"]);
        await using RunningSink running = await RunningSink.StartAsync(options);
        await UntilAsync(async () => await SinkScene.CountAsync(options) == 1);
        await UntilAsync(async () => (await commands.LookAsync(default)).Waiting.Count == 0);
        Assert.Equal(["the sink is paused", "the sink goes on"], (await commands.ListAsync(10, default)).Select(command => command.Outcome!.Text));
    }

    [Fact]
    public async Task Tables_without_a_key_are_changed_where_a_publication_has_all_tables()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = await OptionsAsync(scene, isPostgres: true);
        // As an earlier version made it.
        await SinkScene.ScalarAsync(options, "CREATE TABLE logpipe_pauses (sink text NOT NULL, topic text, partition int, since timestamptz NOT NULL, paused_by text NOT NULL); CREATE PUBLICATION everything FOR ALL TABLES");
        await using RunningSink running = await RunningSink.StartAsync(options);
        await SinkScene.ScalarAsync(options, "DELETE FROM logpipe_dead_letters; DELETE FROM logpipe_gaps; DELETE FROM logpipe_repairs");
        await using var commands = new CommandTable(options, TimeProvider.System);
        Assert.True((await DoneAsync(commands, SinkAction.Pause)).Succeeded);
        Assert.True((await DoneAsync(commands, SinkAction.Resume)).Succeeded);
    }

    [Fact]
    public async Task What_the_first_command_makes_is_changed_where_a_publication_has_all_tables()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = await OptionsAsync(scene, isPostgres: true);
        await SinkScene.ScalarAsync(options, "CREATE PUBLICATION everything FOR ALL TABLES");
        await using RunningSink running = await RunningSink.StartAsync(options);
        await using var commands = new CommandTable(options, TimeProvider.System);
        Assert.True((await DoneAsync(commands, SinkAction.Pause)).Succeeded);
        Assert.True((await DoneAsync(commands, SinkAction.Resume)).Succeeded);
    }

    [Fact]
    public async Task A_command_is_done_once_and_after_those_before_it()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = await OptionsAsync(scene, isPostgres: true);
        await using var commands = new CommandTable(options, TimeProvider.System);
        SinkCommand pause = await commands.AddAsync(SinkAction.Pause, null, null, By, default);
        SinkCommand resume = await commands.AddAsync(SinkAction.Resume, null, null, By, default);
        await commands.DoAsync(resume, "too soon", static _ => { }, default);
        Assert.Null((await commands.FindAsync(resume.Id, default))!.Outcome);
        await commands.DoAsync(pause, "first", static _ => { }, default);
        await commands.DoAsync(resume, "second", static _ => { }, default);
        await commands.DoAsync(pause, "again", static _ => { }, default);
        Assert.Equal("first", (await commands.FindAsync(pause.Id, default))!.Outcome!.By);
        Assert.Empty((await commands.LookAsync(default)).Pauses);
    }

    [Fact]
    public void A_wider_pause_takes_narrower_ones_in()
    {
        static PauseChange Change(SinkAction action, string? topic, int? partition, params SinkPause[] now) =>
            PauseChange.Of(new SinkCommand(1, "web_log", action, topic, partition, DateTimeOffset.UnixEpoch, By), now, DateTimeOffset.UnixEpoch);
        Assert.Equal([Whole], Change(SinkAction.Pause, null, null, Third).Pauses!);
        Assert.Null(Change(SinkAction.Pause, "web_log", 3, Whole).Pauses);
        Assert.Equal("it was not paused", Change(SinkAction.Resume, "web_log", 2, Third).Text);
        Assert.Empty(Change(SinkAction.Resume, null, null, Third).Pauses!);
        Assert.False(Change(SinkAction.Resume, null, 3, Whole).Succeeds);
    }

    [Fact]
    public void A_sink_without_a_database_takes_no_commands()
    {
        var options = new SinkOptions { Name = "files", Topics = ["web_log"], Files = new FilesOptions { Directory = "/nowhere" } };
        SinkConfigurationException refused = Assert.Throws<SinkConfigurationException>(() => new CommandTable(options, TimeProvider.System));
        Assert.Contains("only postgres and sqlite sinks take commands", refused.Message, StringComparison.Ordinal);
    }
}
