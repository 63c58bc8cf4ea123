using System.CommandLine;
using System.Globalization;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Printing;
using LogPipeline.Client.Connections;
using LogPipeline.Files;
using LogPipeline.Hosting;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rebuilding;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe rebuild</c>: has a running sink fill a new table from the log, while the old one serves, and swaps them.</summary>
internal static class RebuildVerb
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    private static readonly Argument<string> Table = new("TABLE") { Description = "The table, or its sink's name" };
    private static readonly Option<string?> From = new("--from") { Description = "Begin at this offset of each partition, or at a time: 7d (ago), 2026-11-21T08:30:00Z; without it the log's start", HelpName = "OFFSET|TIME" };
    private static readonly Option<string?> Parser = new("--parser") { Description = "The new table's parser, as `parser:` takes it; without it the configuration's", HelpName = "PARSER" };
    private static readonly Option<bool> WithoutOlder = new("--without-older") { Description = "Let rows that are older than what the log or --from has go with the old table" };
    private static readonly Option<bool> NoWait = new("--no-wait") { Description = "Leave the request for the sink, and do not show how far it is" };
    private static readonly Option<bool> Abort = new("--abort") { Description = "Give the rebuild that is under way up: the shadow table goes, the live one stays as it is" };
    private static readonly Option<bool> RollBack = new("--rollback") { Description = "Swap the table before the rebuild back in; it goes on where it stopped" };
    private static readonly Option<bool> DropOld = new("--drop-old") { Description = "Drop the table that was swapped out" };
    private static readonly Option<string?> Config = SharedOptions.Config();

    public static Command Create()
    {
        var verb = new Verb("rebuild", "Fill a sink's table anew from the log, with another parser if wanted, while the old one serves; verify it and swap them in one transaction.",
            "logpipe rebuild web_log",
            "logpipe rebuild web_log --from 7d --parser json --without-older",
            "logpipe rebuild web_log --rollback",
            "logpipe rebuild web_log --drop-old") { Table, From, Parser, WithoutOlder, NoWait, Abort, RollBack, DropOld, Config };
        verb.Does(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        SinkOptions sink = Chosen(PipelineConfiguration.Load(parsed.GetValue(Config)), parsed.GetValue(Table)!);
        await using var rebuilds = new RebuildTable(sink);
        var kept = new KeptTable(rebuilds, sink, new TcpConnector(), new Random());
        try
        {
            if (parsed.GetValue(RollBack))
            {
                Console.WriteLine(await kept.RollBackAsync(parsed.GetValue(WithoutOlder), stop));
                return Exit.Done;
            }
            if (parsed.GetValue(DropOld) || parsed.GetValue(Abort))
            {
                Console.WriteLine(parsed.GetValue(DropOld) ? await kept.DropAsync(stop) : await kept.AbortAsync($"by {SharedOptions.Person}", stop));
                return Exit.Done;
            }
            Rebuild? last = await rebuilds.FindAsync(null, stop);
            if (last?.IsUnderWay != true)
            {
                last = await rebuilds.RequestAsync(Request(parsed, sink), stop);
                Console.WriteLine($"{last} is requested; the running sink {sink.Name} does it, and goes on with it after a restart. Ctrl-C ends this display, not the rebuild (--abort does)");
            }
            else
            {
                Console.WriteLine($"{last} is under way since {last.Requested.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}, asked for by {last.RequestedBy}");
            }
            return parsed.GetValue(NoWait) ? Exit.Done : await FollowAsync(rebuilds, last, stop);
        }
        catch (RebuildRefusedException refused)
        {
            throw new ConfigurationException(refused.Message);
        }
    }

    private static SinkOptions Chosen(PipelineConfiguration configuration, string name)
    {
        IReadOnlyList<SinkOptions> sinks = ConfiguredSinks.Named(configuration, []);
        return sinks.FirstOrDefault(sink => sink.Name == name) ?? sinks.FirstOrDefault(sink => (sink.Postgres?.Table ?? sink.Sqlite?.Table) == name)
            ?? throw new ConfigurationException($"there is no table '{name}' and no sink of that name"
                + (NearestName.Find(name, sinks.Select(sink => sink.Postgres?.Table ?? sink.Sqlite?.Table ?? sink.Name)) is { } near ? $"; did you mean '{near}'?" : ""));
    }

    private static RebuildRequest Request(ParseResult parsed, SinkOptions sink)
    {
        ParserOptions parser = parsed.GetValue(Parser) is { } text ? SinkSection.ParserOf(text) with { Where = sink.Parser.Where } : sink.Parser;
        string? from = parsed.GetValue(From);
        long? offset = long.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;
        DateTimeOffset? time = offset is null ? PointInTime.Parse(from, "--from", DateTimeOffset.UtcNow) : null;
        return new RebuildRequest(parser, offset, time, parsed.GetValue(WithoutOlder), SharedOptions.Person);
    }

    private static async Task<int> FollowAsync(RebuildTable rebuilds, Rebuild rebuild, CancellationToken stop)
    {
        var line = new RebuildLine(Console.Error, !Console.IsErrorRedirected, TimeProvider.System);
        (RebuildStage Stage, string? Note)? told = null;
        while (true)
        {
            Rebuild now = await FindAsync(rebuilds, rebuild, line, stop);
            if ((now.Stage, now.Note) != told)
            {
                told = (now.Stage, now.Note);
                line.Clear();
                Console.WriteLine($"{now.Stage}{(now.Note is null ? "" : $": {ControlCharacters.Show(now.Note)}")}");
            }
            if (!now.IsUnderWay)
            {
                return Ended(now);
            }
            await Task.Delay(LookInterval, TimeProvider.System, stop);
        }
    }

    private static int Ended(Rebuild rebuild)
    {
        if (rebuild.Stage != RebuildStage.Swapped)
        {
            return Exit.AnswerIsNo;
        }
        Console.WriteLine($"{rebuild.Table} is the new table. `logpipe rebuild {rebuild.Table} --rollback` swaps the one before back in, --drop-old drops it");
        return Exit.Done;
    }

    /// <summary>Shows how far it is. A database that is away for a while does not end the display: the rebuild waits for it too.</summary>
    private static async Task<Rebuild> FindAsync(RebuildTable rebuilds, Rebuild rebuild, RebuildLine line, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                Rebuild now = await rebuilds.FindAsync(rebuild.Id, stop) ?? throw new ConfigurationException($"{rebuild} is gone from logpipe_rebuilds");
                if (now.Stage == RebuildStage.Filling)
                {
                    line.Show(await rebuilds.ProgressAsync(now, stop));
                }
                return now;
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(LookInterval, TimeProvider.System, stop);
            }
        }
    }
}
