using System.Globalization;
using LogPipeline.Simulation.Checks;
using LogPipeline.Simulation.Database;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Machines;
using LogPipeline.Simulation.Network;
using LogPipeline.Simulation.Parts;
using LogPipeline.Simulation.Sources;
using LogPipeline.Simulation.Workload;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation;

/// <summary>
/// One run: application servers with an agent each, a broker, a database and its sinks; a storm of faults that the seed decides;
/// then calm, in which everything must drain; then the account.
/// </summary>
internal sealed class Story
{
    public const string Topic = "web_log";

    private static readonly TimeSpan CalmMax = TimeSpan.FromMinutes(20);

    private readonly Machine _sinkHost;
    private TableOwner? _owner;

    public Story(ulong seed, bool verbose = false, Action<Story>? plant = null, Cast cast = Cast.Whole)
    {
        World = new World(seed, verbose);
        Plan = new FaultPlan(World);
        Network = new SimNetwork(World);
        Database = new SimDatabase(World);
        Acks = new AckLedger(World);
        Foreign = new ForeignLedger(World) { MustBeOnce = !Plan.Forgets };
        PartitionCount = World.Random.Next(1, 4);
        BrokerHost = new Machine(World, "broker-host");
        Broker = new BrokerPart(BrokerHost, Network, Settings()) { Witness = () => new WireWitness(Acks) };
        Forgetful? forgetful = Plan.Forgets ? new Forgetful(World, forgetsProducers: cast == Cast.Whole) : null;
        Deletion = new TopicDeletion(this);
        Removals = new Removals(this);
        FlippedBit = new FlippedBit(World, BrokerHost.Disk);
        Broker.Deleting = path =>
        {
            FlippedBit.Deleting(path);
            Removals.Deleting(path);
        };
        Broker.Opened = core =>
        {
            Deletion.Look(core);
            CheckBrokerDisk();
            forgetful?.Forget(core);
            if (Plan.FlipsBits)
            {
                FlippedBit.Flip(core, Broker.Part.Life!);
            }
        };
        BrokerHost.PowerLost = () =>
        {
            // Only an agent keeps what was acked, to send it again.
            if (Plan.TailLost && cast == Cast.Whole)
            {
                LoseTail();
            }
        };
        if (cast == Cast.Whole)
        {
            Whole();
        }
        else
        {
            BrokerAndSink();
        }
        _sinkHost = new Machine(World, "sink-host");
        Sinks.Add(new SinkPart(_sinkHost, Network, Database, "sink0") { Filter = Filter });
        if (Plan.SecondSink)
        {
            AddSink();
        }
        // The seed alone decides, so that the other stories stay as they are.
        switch (World.Seed % 6)
        {
            case 1:
                AddFileSink();
                break;
            case 3:
                AddTableOwner();
                break;
            case 5:
                Filter.Habit = World.Seed % 12 == 5 ? FilterHabit.Constant : FilterHabit.Changing;
                break;
        }
        Table = new TableWatch(this);
        plant?.Invoke(this);
        if (World.Seed % 8 == 6)
        {
            AddSources();
        }
        if (World.Seed % 7 == 2)
        {
            Weather.Archives(this);
        }
        if (World.Seed % 9 == 4)
        {
            Weather.CurrentNames(this);
        }
        for (int i = 0; i < Plan.ForeignProducers; i++)
        {
            _ = new ForeignProducer(new Machine(World, string.Create(CultureInfo.InvariantCulture, $"foreign{i}")), Network, Foreign, Plan.Storm);
        }
        Nemesis = new Nemesis(this);
    }

    public World World { get; }

    public FaultPlan Plan { get; }

    public SimNetwork Network { get; }

    public SimDatabase Database { get; }

    public Machine BrokerHost { get; }

    public BrokerPart Broker { get; }

    public List<AppServer> Servers { get; } = [];

    public List<AgentPart> Agents { get; } = [];

    public List<SteadyShipper> Shippers { get; } = [];

    public List<SinkPart> Sinks { get; } = [];

    /// <summary>What the configuration of the table's sinks says of the lines that they store; mostly nothing.</summary>
    public LineFilter Filter { get; } = new(FilterHabit.None);

    /// <summary>Where a sink writes the topic into files; mostly none.</summary>
    public OutputHost? Output { get; private set; }

    /// <summary>Who retries dead letters; mostly nobody.</summary>
    public RetryPart? Retry { get; private set; }

    /// <summary>What the first agent reads beside files; mostly nothing.</summary>
    public SourceHost? Sources { get; private set; }

    public List<ResendPart> Resends { get; } = [];

    public List<Line> Lines { get; } = [];

    public AckLedger Acks { get; }

    public ForeignLedger Foreign { get; }

    public TableWatch Table { get; }

    public Nemesis Nemesis { get; }

    public TopicDeletion Deletion { get; }

    public Removals Removals { get; }

    public FlippedBit FlippedBit { get; }

    public int PartitionCount { get; }

    /// <summary>Whether the topic lacks records that it had.</summary>
    public bool IsShorter => TailLost || Deletion.Happened || Removals.Happened;

    /// <summary>Whether a broker has lost acked records in this run.</summary>
    public bool TailLost { get; set; }

    /// <summary>One more member of the group, on a machine of its own.</summary>
    public void AddSink()
    {
        string number = Sinks.Count.ToString(CultureInfo.InvariantCulture);
        Sinks.Add(new SinkPart(new Machine(World, $"sink-host{number}"), Network, Database, $"sink{number}") { Filter = Filter });
    }

    /// <summary>A sink of another name, on a machine of its own, that writes files; at most one a story.</summary>
    public void AddFileSink() => Output ??= new OutputHost(new Machine(World, "archive-host"), Network, (int)(World.Seed / 6), (FilterHabit)(World.Seed / 48 % 3));

    /// <summary>People who constrain the sink's table, pause the sink and retry its dead letters.</summary>
    public void AddTableOwner()
    {
        if (Retry is null)
        {
            Retry = new RetryPart(new Machine(World, "desk"), Database);
            Sinks.ForEach(static sink => sink.CanBePaused = true);
            _owner = new TableOwner(World, Database, Sinks);
        }
    }

    /// <summary>Inputs of the first agent that are no files, and a spool that is soon full; none where there is no agent.</summary>
    public void AddSources()
    {
        // A sink of files lays the journal's fields out in ways of its own, which its judge does not read.
        if (Sources is null && Output is null && Agents.Count > 0)
        {
            Sources = new SourceHost(Servers[0].Machine, Lines);
            Agents[0].Sources = Sources;
            Agents[0].Options = Agents[0].Options with { SpoolBytesMax = World.Random.Next(3) == 0 ? 1 << 20 : World.Random.Next(2_000, 30_000) };
        }
    }

    /// <summary>Runs it. The failure is in <see cref="World"/>.</summary>
    public void Run()
    {
        Nemesis.Begin();
        foreach (AppServer server in Servers)
        {
            server.Run(Plan.Storm);
        }
        Output?.Run(Plan.Storm);
        Sources?.Run(Plan.Storm);
        _owner?.Run(Plan.Storm);
        World.Run(Plan.Storm);
        if (World.Failure is not null)
        {
            return;
        }
        Nemesis.End();
        Servers.ForEach(static server => server.Finish());
        Sources?.Finish(Agents[0].Part.Life);
        _owner?.Finish();
        var drain = new Drain(this);
        bool drained = false;
        Poll(() => drained = drained || drain.IsOver());
        TimeSpan bound = World.Now + CalmMax;
        if (!World.Run(bound, () => drained))
        {
            if (World.Failure is null)
            {
                World.Fail("everything drains", drain.Report());
            }
            return;
        }
        // What may still come, late: repeats, old requests, rebalances.
        World.Run(World.Now + TimeSpan.FromSeconds(World.Chance(0.2) ? 40 : 3));
        if (World.Failure is null)
        {
            Account();
        }
    }

    private void Whole()
    {
        int servers = World.Chance(0.3) ? 2 : 1;
        for (int i = 0; i < servers; i++)
        {
            var machine = new Machine(World, string.Create(CultureInfo.InvariantCulture, $"app{i}"));
            var server = new AppServer(machine, Lines, World.Random.Next(1, 4));
            Join(server, new AgentPart(machine, Network, string.Create(CultureInfo.InvariantCulture, $"agent{i}")));
        }
        if (World.Seed % 5 == 4)
        {
            Resends.Add(new ResendPart(Agents[0], Network, Plan.Storm));
        }
        if (Plan.ClonedState)
        {
            var machine = new Machine(World, "clone");
            Join(new AppServer(machine, Lines, 1), new AgentPart(machine, Network, "cloned") { ClonedFrom = Agents[0].Part.Machine });
        }
    }

    private void Join(AppServer server, AgentPart agent)
    {
        Servers.Add(server);
        Agents.Add(agent);
        server.IsCompared = agent.HasComparedFiles;
        server.HoldsFiles = () => !Plan.Freezes && !Plan.DiskFull && agent.IsUpFor(AppServer.SeenAfter);
        (server.IsStarting, server.WasReady, server.HasStartedAfter, server.FindsArchive) = (() => agent.IsStarting, () => agent.WasReady, agent.HasStartedAfter, agent.FindsArchive);
        server.MayForget = () => Plan.DiskFull;
        agent.Ended = server.LetGo;
    }

    private void BrokerAndSink()
    {
        for (int partition = 0; partition < PartitionCount; partition++)
        {
            var machine = new Machine(World, string.Create(CultureInfo.InvariantCulture, $"shipper-host{partition}"));
            Shippers.Add(new SteadyShipper(machine, Network, Lines, partition, Plan.Storm));
        }
    }

    private void Poll(Action look)
    {
        look();
        World.After(TimeSpan.FromMilliseconds(500), () => Poll(look));
    }

    private void Account()
    {
        var topic = new List<TopicLine>();
        for (int partition = 0; partition < PartitionCount; partition++)
        {
            List<StoredBatch> stored = Stored(partition);
            Acks.Check(partition, stored);
            topic.AddRange(Delivery.LinesOf(partition, stored));
        }
        Foreign.Check(TopicReader.Read(BrokerHost.Disk, BrokerPart.Data, ForeignProducer.Topic, partition: 0));
        Delivery.CheckLines(World, "topic", Lines, Delivery.CountTopic(topic), mayLack: _ => IsShorter);
        Table.CheckLines();
        if (!IsShorter)
        {
            Delivery.CheckRanges(World, topic);
            StreamOrder.Check(World, Sources?.Streams ?? [], topic);
        }
        Delivery.CheckSources(World, Database.Tables, mayHaveHoles: Deletion.Happened || Removals.Happened);
        if (!TailLost)
        {
            Table.CheckPlaces();
        }
        if (Output is not null && World.Failure is null)
        {
            new OutputAccount(this, Output).Check();
        }
    }

    private void LoseTail()
    {
        int partition = World.Random.Next(PartitionCount);
        string name = string.Create(CultureInfo.InvariantCulture, $"{Topic}-{partition}");
        List<TopicLine> held = [.. Delivery.LinesOf(partition, Stored(partition))];
        if (TailLoss.Cut(BrokerHost.Disk, BrokerPart.Data, name, World.Random) is { } lost)
        {
            World.Trace.Say(null, $"the broker's disk has lost partition {partition} from offset {lost} on");
            TailLost = true;
            Acks.Forget(partition, lost);
            Deletion.Lost(held.Where(line => line.Offset >= lost));
        }
    }

    /// <summary>Where the sink is in the log that is there now; of a topic that was deleted the ledger keeps its row.</summary>
    public long? LedgerOf(int partition)
    {
        Guid topicId = TopicReader.TopicIdOf(BrokerHost.Disk, BrokerPart.Data, Topic, partition);
        return Database.Tables.Logs.Find(entry => entry.Log.Partition == partition && entry.Log.TopicId == topicId)?.NextOffset;
    }

    /// <summary>Where the sink of files is in it.</summary>
    public long? ManifestOf(int partition)
    {
        (Guid, int) log = (TopicReader.TopicIdOf(BrokerHost.Disk, BrokerPart.Data, Topic, partition), partition);
        return OutputManifest.Read(new MemoryFileSystem(Output!.Machine.Disk), OutputHost.Directory)?.Logs.GetValueOrDefault(log);
    }

    private void CheckBrokerDisk()
    {
        for (int partition = 0; partition < PartitionCount; partition++)
        {
            Acks.Check(partition, Stored(partition));
        }
        Foreign.Check(TopicReader.Read(BrokerHost.Disk, BrokerPart.Data, ForeignProducer.Topic, partition: 0));
    }

    /// <summary>What is on the broker's disk of a partition.</summary>
    public List<StoredBatch> Stored(int partition) => TopicReader.Read(BrokerHost.Disk, BrokerPart.Data, Topic, partition);

    private Dictionary<string, string> Settings()
    {
        Dictionary<string, string> settings = Always();
        if (Plan.Retention)
        {
            KeepSeconds(settings);
        }
        return settings;
    }

    /// <summary>Makes the broker keep records for seconds only, read or unread.</summary>
    public void KeepSeconds(Dictionary<string, string> settings)
    {
        settings["log.retention.ms"] = World.Random.Next(1, 30_000).ToString(CultureInfo.InvariantCulture);
        settings["log.retention.check.interval.ms"] = World.Random.Next(100, 5_000).ToString(CultureInfo.InvariantCulture);
        settings["log.retention.clock"] = World.Chance(0.3) ? "arrival" : "record";
        if (World.Chance(0.3))
        {
            settings["log.retention.total.bytes"] = World.Random.Next(20_000, 200_000).ToString(CultureInfo.InvariantCulture);
        }
    }

    private Dictionary<string, string> Always() => new()
    {
        ["num.partitions"] = PartitionCount.ToString(CultureInfo.InvariantCulture),
        ["group.initial.rebalance.delay.ms"] = "100",
        ["log.roll.ms"] = World.Random.Next(5_000, 60_000).ToString(CultureInfo.InvariantCulture),
        ["log.index.size.max.bytes"] = "4096",
        ["log.journal.bytes"] = World.Random.Next(2) == 0 ? "65536" : "1048576",
        // A tail that is lost would come back from the journal.
        ["log.journal.batch.max.bytes"] = Plan.TailLost ? "0" : World.Random.Next(3) == 0 ? "700" : "65536",
    };
}
