using LogPipeline.Agent.Sources;
using LogPipeline.Broker;
using LogPipeline.Broker.Partitions;
using LogPipeline.Files;
using LogPipeline.Simulation.Checks;
using LogPipeline.Simulation.Machines;
using LogPipeline.Simulation.Parts;
using LogPipeline.Simulation.Workload;
using LogPipeline.Sinks;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Segments;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation.Plants;

/// <summary>A rule broken on purpose, outside the product: the checker must notice within a number of seeds.</summary>
/// <param name="Name">What is wrong.</param>
/// <param name="Cast">Who takes part.</param>
/// <param name="Rules">Which broken rules it may show as.</param>
/// <param name="Faults">Those that bring it to light; they alone must break nothing.</param>
/// <param name="Break">Breaks it.</param>
internal sealed record Plant(string Name, Cast Cast, IReadOnlyList<string> Rules, Action<Story> Faults, Action<Story> Break)
{
    private const string AckedStays = "an acked batch stays";
    private const string ShownStays = "what was shown stays";
    private const string ShownIsSound = "what is shown is sound";
    private const string StaysRemoved = "what was removed stays removed";
    private const string NoGap = "offsets have no gap";
    private const string EndToEnd = "ranges lie end to end";
    private const string Once = "a line is in the table once";
    private const string OnceInTopic = "a line is in the topic once";
    private const string InTable = "a line is in the table";
    private const string InTopic = "a line is in the topic";
    private const string Drains = "everything drains";
    private const string RowsInside = "stored ranges hold the rows";
    private const string NoHole = "stored ranges have no hole";
    private const string LedgerFits = "the ledger fits the rows";
    private const string NoEnd = "no part ends by itself";
    private const string Possible = "a producer sees no impossible error";

    public static IReadOnlyList<Plant> All { get; } =
    [
        new("broker acks before fsync", Cast.BrokerAndSink, [AckedStays, ShownStays, NoGap, ForeignLedger.AckedIsThere], PowerFails, static story =>
            story.Broker.WrapFiles = static files => new WrappedFiles(files) { SkipsFlush = static path => IsSegment(path) || IsJournal(path) }),
        new("broker uses journal space again before the segment's sync", Cast.BrokerAndSink, [AckedStays, ShownStays, NoGap, ForeignLedger.AckedIsThere], JournalOnly, static story =>
            story.Broker.WrapFiles = static files => new WrappedFiles(files) { SkipsFlush = IsSegment }),
        new("broker replays what an earlier life wrote, over newer batches", Cast.BrokerAndSink, [AckedStays, ShownStays, NoGap, ForeignLedger.AckedIsThere], JournalOnly, static story =>
            story.Broker.WrapFiles = files => new WrappedFiles(files)
            {
                SkipsRename = path => path.EndsWith("/journal/header", StringComparison.Ordinal) && files.FileExists(path),
            }),
        new("broker acks a small batch before the large one ahead of it is durable", Cast.BrokerAndSink, [AckedStays, ShownStays, NoGap, ForeignLedger.AckedIsThere], SomeJournaled, static story =>
            story.Broker.WrapFiles = files => new WrappedFiles(files) { BeforeWrite = path => ForgetLargeBatches(story, path) }),
        new("broker deletes segments before the log's start is durable", Cast.BrokerAndSink, [StaysRemoved, AckedStays, NoGap], KeepsSeconds, static story =>
            story.Broker.WrapFiles = static files => new WrappedFiles(files)
            {
                SkipsRename = static path => path.EndsWith("/log-start-offset-checkpoint", StringComparison.Ordinal),
            }),
        new("broker deletes segments without a snapshot of their producers", Cast.BrokerAndSink, [ForeignLedger.OnceInLog], KeepsSeconds, static story =>
            story.Broker.WrapFiles = static files => new WrappedFiles(files)
            {
                SkipsRename = static path => path.EndsWith(".snapshot", StringComparison.Ordinal),
            }),
        new("broker serves what it found on its disk without a look", Cast.BrokerAndSink, [ShownIsSound], FlipsBits, static story =>
            story.Broker.Opened += static core => TakeForChecked(core)),
        new("broker does not flush directories", Cast.BrokerAndSink, [AckedStays, ShownStays, NoGap, NoEnd, Possible, Drains], PowerFails, static story =>
            story.Broker.WrapFiles = static files => new WrappedFiles(files) { SkipsDirectoryFlush = static _ => true }),
        new("broker's topic registry is not flushed", Cast.BrokerAndSink, [AckedStays, ShownStays, NoGap, NoEnd, Possible, Drains], PowerFails, static story =>
            story.Broker.WrapFiles = static files => new WrappedFiles(files) { SkipsFlush = static path => !path.EndsWith(".log", StringComparison.Ordinal) }),
        new("ledger condition left out", Cast.BrokerAndSink, [Once, LedgerFits, RowsInside, NoHole, InTable, Drains],
            static story =>
            {
                story.AddSink();
                story.Plan.Freezes = true;
                story.Plan.Kills = true;
            },
            static story => story.Database.Plants.IgnoresLedgerCondition = true),
        new("rows committed apart from the ledger", Cast.BrokerAndSink, [Once, LedgerFits, RowsInside], DatabaseFails,
            static story => story.Database.Plants.RowsOutsideTransaction = true),
        new("ledger committed apart from the rows", Cast.BrokerAndSink, [InTable, Drains, NoHole, LedgerFits], DatabaseFails,
            static story => story.Database.Plants.LedgerOutsideTransaction = true),
        new("stale next_offset", Cast.BrokerAndSink, [Once, LedgerFits, RowsInside], Kills, static story =>
        {
            story.Database.Plants.StaleClaims = true;
            story.Database.Plants.IgnoresLedgerCondition = true;
        }),
        new("sources not updated", Cast.BrokerAndSink, [RowsInside, NoHole], static _ => { },
            static story => story.Database.Plants.LeavesSources = true),
        new("claims leave the old owner", Cast.BrokerAndSink, [Drains, Once, NoEnd], Kills,
            static story => story.Database.Plants.ClaimsWithoutOwner = true),
        new("sequence numbers left out", Cast.BrokerAndSink, [OnceInTopic, Once, EndToEnd], Kills, static story =>
            story.Shippers.ForEach(static shipper => shipper.WrapConnector = static connector => new WithoutProducer(connector))),
        new("broker takes what lies below a producer's first batch for stored", Cast.BrokerAndSink, [ForeignLedger.AckedIsThere],
            static story => story.Plan.ForeignProducers = 2, Overclaim),
        new("agent sends before its entry is durable", Cast.Whole, [Once, OnceInTopic, InTopic, InTable, EndToEnd, NoHole, Drains], PowerFails,
            static story => Agents(story, static path => path.Contains("inflight", StringComparison.Ordinal))),
        new("agent's registry is not flushed", Cast.Whole, [Once, OnceInTopic, InTopic, InTable, EndToEnd, NoHole, Drains], PowerFails,
            static story => Agents(story, static path => path.Contains("registry", StringComparison.Ordinal))),
        new("agent renames without flushing its directory", Cast.Whole, [Once, OnceInTopic, InTopic, InTable, EndToEnd, NoHole, Drains], PowerFails, static story =>
            story.Agents.ForEach(static agent => agent.WrapFiles = static files =>
                new WrappedFiles(files) { SkipsDirectoryFlush = static _ => true })),
        new("agent does not see rotated files", Cast.Whole, [Drains, InTable, InTopic, NoHole, EndToEnd], Kills, static story =>
            story.Agents.ForEach(static agent => agent.WrapFiles = static files =>
                new WrappedFiles(files) { Hides = static name => name.Contains(".log.", StringComparison.Ordinal) })),
        new("agent does not see archives", Cast.Whole, [Drains, InTable, InTopic], FilesAreCompressed, static story =>
            story.Agents.ForEach(static agent => agent.WrapFiles = static files =>
                new WrappedFiles(files) { Hides = Gzip.IsNamedSo })),
        new("agent's spools are not flushed", Cast.Whole, [InTopic, InTable, Drains, OnceInTopic, Once], SourcesFail,
            static story => Agents(story, IsSpool)),
        new("agent goes on in the journal behind what is not spooled yet", Cast.Whole, [InTopic, InTable, Drains], SourcesFail, static story =>
        {
            if (story.Sources is { } sources)
            {
                sources.Journal.SavesCursorEarly = true;
            }
        }),
        new("agent deletes a spool's files before they are acked", Cast.Whole, [InTopic, InTable, Drains, NoHole, EndToEnd], SourcesFail, DeleteSpooled),
        new("agent's deletion of a spool's file is not flushed", Cast.Whole, [OnceInTopic, Once, StreamOrder.Rule], WeeksPass, static story =>
            story.Agents.ForEach(static agent => agent.WrapFiles = static files => new WrappedFiles(files) { SkipsFlushOfDeletion = IsSpool })),
        new("dead letters stay when they are stored", Cast.BrokerAndSink, [Once, TableWatch.RowOrLetter], Weather.Tables,
            static story => story.Database.Plants.KeepsTakenLetters = true),
        new("sink does not hear that it is paused", Cast.BrokerAndSink, [TableWatch.PausedStores], Weather.Tables,
            static story => story.Sinks.ForEach(static sink => sink.IsDeaf = true)),
        new("file sink counts rows that are not synced", Cast.Whole, [OutputAccount.There, OutputAccount.Verifies, Drains], ArchiverFails, static story =>
            Archivers(story, static files => new WrappedFiles(files) { SkipsFlush = static path => !IsManifest(path) })),
        new("file sink's manifest is renamed without flushing its directory", Cast.Whole, [OutputAccount.Once, OutputAccount.There, OutputAccount.Verifies, Drains], ArchiverBeginsManyFiles, static story =>
            Archivers(story, static files => new WrappedFiles(files) { SkipsDirectoryFlush = static _ => true })),
        new("file sink stores what its filter leaves out", Cast.Whole, [OutputAccount.LeftOut],
            static story =>
            {
                ArchiverFails(story);
                story.Output!.Filter.Habit = FilterHabit.Constant;
            },
            static story => story.Output!.Filter.IsIgnored = true),
        new("table sink stores what its filter leaves out", Cast.BrokerAndSink, [TableWatch.LeftOut],
            static story => story.Filter.Habit = FilterHabit.Constant, static story => story.Filter.IsIgnored = true),
    ];

    /// <summary>
    /// The first seed in which a fitting rule breaks, and which passes with the same weather and without the plant: so nothing
    /// else can have been what was caught.
    /// </summary>
    public SeedResult? Catch(ulong seedsMax)
    {
        for (ulong from = 1; from <= seedsMax;)
        {
            SeedResult? caught = SeedRun.Many(from, seedsMax - from + 1, Cast, static () => false, plant: Both);
            if (caught is null)
            {
                return null;
            }
            if (Rules.Contains(caught.Failure!.Rule) && SeedRun.One(caught.Seed, Cast, Faults).Failure is null)
            {
                return caught;
            }
            from = caught.Seed + 1;
        }
        return null;
    }

    // The partition's memory of its producers is falsified again and again, between their batches.
    private static void Overclaim(Story story)
    {
        foreach (ProducerEntry producer in (story.Broker.Core?.Topics.All ?? [])
            .SelectMany(static topic => topic.Partitions)
            .SelectMany(static partition => partition.Log!.ProducerTable.Entries))
        {
            producer.RestoreTaken(ProducerEntry.TakenMax);
        }
        story.World.After(TimeSpan.FromMilliseconds(1), () => Overclaim(story));
    }

    private void Both(Story story)
    {
        Faults(story);
        Break(story);
    }

    private static void PowerFails(Story story)
    {
        story.Plan.PowerLoss = 0.5;
        story.Plan.Kills = true;
    }

    // Segments are closed and removed again and again.
    private static void KeepsSeconds(Story story)
    {
        PowerFails(story);
        (story.Plan.ForeignProducers, story.Plan.Forgets) = (2, false);
        story.Foreign.MustBeOnce = true;
        story.Broker.Settings["log.roll.ms"] = "1000";
        story.Broker.Settings["log.retention.ms"] = "1";
        story.Broker.Settings["log.retention.check.interval.ms"] = "200";
    }

    // What is no file comes in, and machines lose power.
    private static void SourcesFail(Story story)
    {
        Weather.Sources(story);
        PowerFails(story);
    }

    // The registry forgets a file that is gone after a week: each second is one.
    private static void WeeksPass(Story story)
    {
        SourcesFail(story);
        PassWeek();

        void PassWeek()
        {
            story.Agents[0].Part.Machine.ClockOffset += TimeSpan.FromDays(7);
            if (story.World.Now < story.Plan.Storm)
            {
                story.World.After(TimeSpan.FromSeconds(1), PassWeek);
            }
        }
    }

    private static bool IsSpool(string path) => path.StartsWith($"{AgentPart.State}/spool/", StringComparison.Ordinal);

    // Again and again all but the newest file of each spool goes.
    private static void DeleteSpooled(Story story)
    {
        Machine machine = story.Agents[0].Part.Machine;
        var files = new MemoryFileSystem(machine.Disk);
        string spools = SourceOptions.SpoolsIn(AgentPart.State);
        foreach (DirectoryEntry spool in files.DirectoryExists(spools) ? files.List(spools) : [])
        {
            foreach (DirectoryEntry file in files.List($"{spools}/{spool.Name}").SkipLast(1))
            {
                files.Delete($"{spools}/{spool.Name}/{file.Name}");
            }
        }
        story.World.After(TimeSpan.FromSeconds(1), () => DeleteSpooled(story));
    }

    // Its machine loses power, and its processes are killed.
    private static void ArchiverFails(Story story)
    {
        Weather.Files(story);
        story.Output!.Filter.Habit = FilterHabit.None; // it would take lines away that may go wrong
        PowerFails(story);
        story.Plan.CrashEvery = 100;
    }

    /// <summary>A file that is begun is a name that a loss of power may take: with Parquet there are many.</summary>
    private static void ArchiverBeginsManyFiles(Story story)
    {
        ArchiverFails(story);
        (story.Plan.PowerLoss, story.Plan.CrashEvery) = (1, 1500);
        SinkOptions options = story.Output!.Options;
        var publish = new PublishOptions { BytesMax = 64 << 10, Interval = TimeSpan.FromSeconds(1) };
        story.Output.Options = options with { Files = options.Files! with { Format = "parquet", Compress = "snappy", Publish = publish } };
    }

    private static void Archivers(Story story, Func<IFileSystem, IFileSystem> wrap)
    {
        foreach (FileSinkPart archiver in story.Output!.Sinks)
        {
            archiver.WrapFiles = wrap;
        }
    }

    private static bool IsManifest(string path) => path.Contains("/manifest.", StringComparison.Ordinal);

    private static bool IsSegment(string path) => path.EndsWith(".log", StringComparison.Ordinal);

    private static bool IsJournal(string path) => path.EndsWith(".journal", StringComparison.Ordinal);

    // Every batch goes through the journal, whose space is used again soon.
    private static void JournalOnly(Story story)
    {
        PowerFails(story);
        story.Broker.Settings["log.journal.bytes"] = "32768";
        story.Broker.Settings["log.journal.batch.max.bytes"] = "1048576";
    }

    // Some batches go through the journal, and some do not.
    private static void SomeJournaled(Story story)
    {
        PowerFails(story);
        story.Plan.ForeignProducers = 2; // they keep several batches of one partition under way
        story.BrokerHost.DiskFaults.FlushMax = TimeSpan.FromMilliseconds(50);
        story.Broker.Settings["log.journal.batch.max.bytes"] = "700";
    }

    // When a commit is written, each log believes that what it appended to its segment alone is synced.
    private static void ForgetLargeBatches(Story story, string path)
    {
        if (IsJournal(path) && story.Broker.Core is { } core)
        {
            foreach (Partition partition in core.Topics.All.SelectMany(static topic => topic.Partitions))
            {
                partition.Log!.Durable.WrittenDirectly(0);
            }
        }
    }

    private static void FlipsBits(Story story)
    {
        Kills(story);
        story.Plan.FlipsBits = true;
        story.Broker.Settings["log.roll.ms"] = "1000";
    }

    private static void TakeForChecked(BrokerCore core)
    {
        foreach (CheckedBytes bytes in core.Topics.All.SelectMany(static topic => topic.Partitions).SelectMany(static partition => partition.Log!.CheckedBytes))
        {
            bytes.EndAt(0);
        }
    }

    private static void Kills(Story story) => story.Plan.Kills = true;

    private static void FilesAreCompressed(Story story)
    {
        story.Plan.Kills = true;
        story.Plan.ClockJumps = false;
        Weather.Archives(story);
    }

    private static void DatabaseFails(Story story)
    {
        story.Plan.Kills = true;
        story.Plan.DatabaseRestarts = true;
    }

    private static void Agents(Story story, Func<string, bool> skips) => story.Agents.ForEach(agent =>
        agent.WrapFiles = files => new WrappedFiles(files) { SkipsFlush = skips });
}
