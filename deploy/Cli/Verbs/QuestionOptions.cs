using System.CommandLine;
using LogPipeline.Cli.Configuration;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Verbs;

/// <summary>What <c>query</c> and its verbs have in common: which rows of which sink, and for how long the database may work.</summary>
internal sealed class QuestionOptions
{
    private readonly RowFilter _filter = new();
    private readonly Option<string?> _since = new("--since") { Description = "Rows at or after this: 15m, 2h (ago), today, yesterday, or a time such as 2026-11-21T08:30:00Z", HelpName = "TIME" };
    private readonly Option<string?> _until = new("--until") { Description = "Rows before this", HelpName = "TIME" };
    private readonly Option<bool> _explain = new("--explain") { Description = "Print the SQL that the query becomes, and do not run it" };
    private readonly Option<string?> _sink = SharedOptions.Sink();
    private readonly Option<string?> _config = SharedOptions.Config();

    private readonly Option<string> _timeout = new("--timeout")
    {
        Description = "How long the database may work without giving a row; 0 = for ever",
        HelpName = "TIME",
        DefaultValueFactory = _ => "60s",
    };

    public void AddTo(Command verb)
    {
        _filter.AddTo(verb);
        foreach (Option option in new Option[] { _since, _until, _timeout, _explain, _sink, _config })
        {
            verb.Options.Add(option);
        }
    }

    public bool IsToExplain(ParseResult parsed) => parsed.GetValue(_explain);

    /// <summary>A reader of the sink's rows.</summary>
    public ValueTask<ILogReader> ReaderAsync(ParseResult parsed, CancellationToken stop)
    {
        var configuration = PipelineConfiguration.Load(parsed.GetValue(_config));
        _filter.WarnOfName(parsed, configuration.Sinks);
        SinkOptions sink = ConfiguredSinks.Readable(configuration, parsed.GetValue(_sink));
        return SinkStores.OpenReaderAsync(sink, TimeProvider.System, stop);
    }

    public LogQuery Read(ParseResult parsed, ILogReader reader)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        return new LogQuery
        {
            Filter = _filter.Read(parsed, reader.Fields, now),
            From = PointInTime.Parse(parsed.GetValue(_since), "--since", now),
            To = PointInTime.Parse(parsed.GetValue(_until), "--until", now),
            Patience = SharedOptions.DurationOf(parsed, _timeout, "30s or 10m", "for ever"),
        };
    }
}
