namespace LogPipeline.Simulation.Plants;

/// <summary>A rule broken on purpose, outside the product: the checker must notice within a number of seeds.</summary>
/// <param name="Name">What is wrong.</param>
/// <param name="Cast">Who takes part.</param>
/// <param name="Break">Breaks it.</param>
internal sealed record Plant(string Name, Cast Cast, Action<Story> Break)
{
    public static IReadOnlyList<Plant> All { get; } =
    [
        new("broker acks before fsync", Cast.BrokerAndSink, static story =>
        {
            PowerFails(story);
            story.Broker.WrapFiles = static files => new WrappedFiles(files) { SkipsFlush = static path => path.EndsWith(".log", StringComparison.Ordinal) };
        }),
        new("broker does not flush directories", Cast.BrokerAndSink, static story =>
        {
            PowerFails(story);
            story.Broker.WrapFiles = static files => new WrappedFiles(files) { SkipsDirectoryFlush = static _ => true };
        }),
        new("broker's topic registry is not flushed", Cast.BrokerAndSink, static story =>
        {
            PowerFails(story);
            story.Broker.WrapFiles = static files => new WrappedFiles(files) { SkipsFlush = static path => !path.EndsWith(".log", StringComparison.Ordinal) };
        }),
        new("ledger condition left out", Cast.BrokerAndSink, static story =>
        {
            story.AddSink();
            story.Plan.Freezes = true;
            story.Plan.Kills = true;
            story.Database.Plants.IgnoresLedgerCondition = true;
        }),
        new("rows committed apart from the ledger", Cast.BrokerAndSink, static story =>
        {
            story.Plan.Kills = true;
            story.Plan.DatabaseRestarts = true;
            story.Database.Plants.RowsOutsideTransaction = true;
        }),
        new("ledger committed apart from the rows", Cast.BrokerAndSink, static story =>
        {
            story.Plan.Kills = true;
            story.Plan.DatabaseRestarts = true;
            story.Database.Plants.LedgerOutsideTransaction = true;
        }),
        new("stale next_offset", Cast.BrokerAndSink, static story =>
        {
            story.Plan.Kills = true;
            story.Database.Plants.StaleClaims = true;
            story.Database.Plants.IgnoresLedgerCondition = true;
        }),
        new("sources not updated", Cast.BrokerAndSink, static story => story.Database.Plants.LeavesSources = true),
        new("claims leave the old owner", Cast.BrokerAndSink, static story =>
        {
            story.Plan.Kills = true;
            story.Database.Plants.ClaimsWithoutOwner = true;
        }),
        new("sequence numbers left out", Cast.BrokerAndSink, static story =>
        {
            story.Plan.Kills = true;
            story.Shippers.ForEach(static shipper => shipper.WrapConnector = static connector => new WithoutProducer(connector));
        }),
        new("agent sends before its entry is durable", Cast.Whole, static story =>
        {
            PowerFails(story);
            Agents(story, static path => path.Contains("inflight", StringComparison.Ordinal));
        }),
        new("agent's registry is not flushed", Cast.Whole, static story =>
        {
            PowerFails(story);
            Agents(story, static path => path.Contains("registry", StringComparison.Ordinal));
        }),
        new("agent renames without flushing its directory", Cast.Whole, static story =>
        {
            PowerFails(story);
            story.Agents.ForEach(static agent => agent.WrapFiles = static files =>
                new WrappedFiles(files) { SkipsDirectoryFlush = static _ => true });
        }),
        new("agent does not see rotated files", Cast.Whole, static story =>
        {
            story.Plan.Kills = true;
            story.Agents.ForEach(static agent => agent.WrapFiles = static files =>
                new WrappedFiles(files) { Hides = static name => name.Contains(".log.", StringComparison.Ordinal) });
        }),
    ];

    private static void PowerFails(Story story)
    {
        story.Plan.PowerLoss = 0.5;
        story.Plan.Kills = true;
    }

    private static void Agents(Story story, Func<string, bool> skips) => story.Agents.ForEach(agent =>
        agent.WrapFiles = files => new WrappedFiles(files) { SkipsFlush = skips });
}
