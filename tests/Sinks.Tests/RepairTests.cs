using LogPipeline.Contract;
using LogPipeline.Sinks.Verification;

namespace LogPipeline.Sinks.Tests;

/// <summary>What verify sees beyond the table: files, lost starts; and the rows that repair removes.</summary>
[Collection("postgres")]
public sealed class RepairTests(PostgresFixture postgres)
{
    private static readonly Guid SecondAgent = new("99999999-2222-3333-4444-555555555555");

    private static string Line(int n) => $"line {n:D4}"; // 9 bytes, 10 with its end

    private static IEnumerable<string> Lines(int from, int count) => Enumerable.Range(from, count).Select(Line);

    public static TheoryData<string> Databases => ["postgres", "sqlite"];

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task Repair_removes_what_repeats_and_nothing_else(string database)
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = (database == "sqlite" ? scene.Sqlite() : scene.Postgres(await postgres.NewDatabaseAsync())) with { Parser = "none" };
        await scene.SendAsync(0, Lines(0, 100));
        await SinkScene.RunAsync(options, 100);
        // The agent lost its state: the file comes again under another identity, and goes on. Another file only begins alike.
        foreach (int n in Enumerable.Range(0, 120))
        {
            await scene.SendAsync(0, Line(n), n * 10, n * 10 + 10, PositionFlags.None, agent: SecondAgent);
        }
        foreach (int n in Enumerable.Range(0, 5))
        {
            await scene.SendAsync(1, Line(n == 4 ? 77 : n), n * 10, n * 10 + 10, PositionFlags.None, agent: SecondAgent);
        }
        await SinkScene.RunAsync(options, 225);
        await SinkScene.ScalarAsync(options, "INSERT INTO web_log_rows SELECT * FROM web_log_rows WHERE line = 'line 0033'");
        Assert.Equal(227L, await SinkScene.CountAsync(options));

        await using var repair = new Repair(options);
        IReadOnlyList<RepeatedRows> found = await repair.FindAsync(default);
        Assert.Equal([(RepeatKind.SameRecord, 1L), (RepeatKind.SameRecord, 1L), (RepeatKind.ReadAgain, 100L)], found.Select(f => (f.Kind, f.Rows)));
        Assert.Contains(await NotesAsync(options), note => note.Contains("state was lost", StringComparison.Ordinal));
        Assert.Equal(102, await repair.RemoveAsync(found, default));

        Assert.Equal(125L, await SinkScene.CountAsync(options));
        Assert.Equal(120L, await SinkScene.ScalarAsync(options, "SELECT count(DISTINCT line) FROM web_log"));
        Assert.Empty(await repair.FindAsync(default));
        VerifyReport report = await SinkScene.VerifyAsync(options);
        Assert.Empty(report.Findings);
        Assert.Contains(report.Notes, note => note.Contains("100 rows were removed by repairs", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task Records_of_no_file_are_repeated_where_their_offsets_are(string database)
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = (database == "sqlite" ? scene.Sqlite() : scene.Postgres(await postgres.NewDatabaseAsync())) with { Parser = "none" };
        foreach (string line in new[] { "same", "same", "other" })
        {
            await scene.SendPlainAsync(0, line);
        }
        await SinkScene.RunAsync(options, 3);
        await SinkScene.ScalarAsync(options, "INSERT INTO web_log_rows SELECT * FROM web_log_rows WHERE line = 'same'");
        await using var repair = new Repair(options);
        IReadOnlyList<RepeatedRows> found = await repair.FindAsync(default);
        Assert.Equal("offsets 0 to 1: 2 rows of records that are of no file stand there twice", Assert.Single(found).ToString());
        Assert.Equal(2, await repair.RemoveAsync(found, default));
        Assert.Equal(3L, await SinkScene.CountAsync(options));
        Assert.True((await SinkScene.VerifyAsync(options)).Passed);
    }

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task Generations_of_one_path_that_hold_the_same_lines_are_told_and_left_alone(string database)
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = (database == "sqlite" ? scene.Sqlite() : scene.Postgres(await postgres.NewDatabaseAsync())) with { Parser = "none" };
        // A partition's lines are a generation of their own. Up to a kibibyte alike is a banner, not a file.
        await scene.SendAsync(0, Lines(0, 200));
        await scene.SendAsync(1, Lines(0, 90));
        await SinkScene.RunAsync(options, 290);
        Assert.DoesNotContain(await NotesAsync(options), note => note.Contains("equal", StringComparison.Ordinal));

        await scene.SendAsync(1, Lines(90, 60));
        await SinkScene.RunAsync(options, 350);

        Assert.True((await SinkScene.VerifyAsync(options)) is { Passed: true, HasAlikeGenerations: true });
        Assert.Contains(await NotesAsync(options), note => note.Contains("from byte 0 to the line at 1490: all 150 rows of generation", StringComparison.Ordinal));
        await using var repair = new Repair(options);
        Assert.Empty(await repair.FindAsync(default));

        await scene.SendAsync(1, Lines(777, 1));
        await SinkScene.RunAsync(options, 351);
        Assert.DoesNotContain(await NotesAsync(options), note => note.Contains("equal", StringComparison.Ordinal));
    }

    private static async Task<IReadOnlyList<string>> NotesAsync(SinkOptions options) => (await SinkScene.VerifyAsync(options)).Notes;

    [Fact]
    public async Task Verify_reads_the_file_that_is_still_there_and_honours_a_log_whose_start_moved()
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("logpipe-verify-").FullName, "access.log");
        await File.WriteAllLinesAsync(file, Lines(0, 100));
        await using SinkScene scene = await SinkScene.StartAsync(Environment.MachineName, file);
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        await scene.SendAsync(0, Lines(0, 100));
        await SinkScene.RunAsync(options, 100);
        VerifyReport clean = await SinkScene.VerifyAsync(options);
        Assert.Empty(clean.Findings);
        Assert.Equal(1000, Assert.Single(clean.Generations).FileBytes);

        // Rotated meanwhile, and one byte is another.
        File.Move(file, file + ".1");
        await using (var changed = new FileStream(file + ".1", FileMode.Open))
        {
            changed.Position = 423;
            changed.Write("X"u8);
        }
        Finding finding = Assert.Single((await SinkScene.VerifyAsync(options)).Findings);
        Assert.Equal((FindingSide.FileDiffers, 42L, 420L), (finding.Side, finding.LogOffset, finding.FileOffset));

        await scene.RestartBrokerAsync(directory => SinkScene.RaiseStart(directory, 50));
        VerifyReport shortened = await SinkScene.VerifyAsync(options);
        Assert.Empty(shortened.Findings);
        Assert.Contains(shortened.Notes, note => note.Contains("below 50", StringComparison.Ordinal));
        await SinkScene.ScalarAsync(options, "DELETE FROM web_log_rows WHERE log_offset = 60");
        await SinkScene.ScalarAsync(options, "INSERT INTO web_log_rows SELECT * FROM web_log_rows WHERE log_offset = 20");
        Assert.Equal(
            [(FindingSide.TableMissing, 60L), (FindingSide.TableRepeated, 20L)],
            (await SinkScene.VerifyAsync(options)).Findings.OrderBy(f => f.Side).Select(f => (f.Side, f.LogOffset)));
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }
}
