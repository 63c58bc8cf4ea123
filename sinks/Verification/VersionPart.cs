using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query.Live;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Verification;

/// <summary>Offsets of a log whose rows were chosen by one filter, or by none.</summary>
/// <param name="From">The first offset.</param>
/// <param name="To">The offset behind the last.</param>
/// <param name="Parser">What they were parsed with, or one that finds nothing where all were stored; null where that is no longer known.</param>
internal sealed record VersionPart(long From, long To, ILineParser? Parser)
{
    private readonly SinkFilter? _filter = Parser is null ? null : SinkFilter.Of(Parser);

    /// <summary>The parts of a log between two offsets, in order.</summary>
    /// <param name="versions">The table's, in order.</param>
    /// <param name="configured">The sink's parser, with its filter.</param>
    public static IReadOnlyList<VersionPart> Of(PinnedLog log, IReadOnlyList<TableVersion> versions, ParserOptions configured, long start, long end)
    {
        if (versions.All(version => version.Where is null) && configured.Where is null)
        {
            return [new VersionPart(start, end, new NoParser())];
        }
        var parts = new List<VersionPart>();
        long to = end;
        foreach (TableVersion made in versions.Reverse())
        {
            long from = Math.Max(start, made.Starts.GetValueOrDefault(log.Id));
            if (from < to)
            {
                parts.Insert(0, new VersionPart(from, to, made.Where is null ? new NoParser() : ParserOfVersion.Find(configured, made.Parser, made.Where, made.ConfigHash)));
                to = from;
            }
        }
        if (parts.Count > 0 && to > start)
        {
            parts.Insert(0, new VersionPart(start, to, null)); // somebody removed the version
        }
        return parts.Count > 0 ? parts : [new VersionPart(start, end, LineParsers.Named(configured))];
    }

    /// <summary>Marks the records that were left out; all of them where that is no longer known.</summary>
    public void Apply(RowBatch records)
    {
        if (Parser is null)
        {
            foreach (ref Row record in records.Rows)
            {
                record.State = RowState.Unwanted;
            }
        }
        else if (_filter is not null)
        {
            records.Parse(Parser);
            _filter.Apply(records);
        }
    }
}
