using System.Globalization;
using LogPipeline.Simulation.Database;
using LogPipeline.Simulation.Workload;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Simulation.Checks;

/// <summary>Looks at each commit of the database: rows fit the ledger's step, no line comes twice. Knows which lines have arrived.</summary>
internal sealed class TableWatch
{
    public const string PausedStores = "a paused sink stores nothing";
    public const string RowOrLetter = "a record is a row or a dead letter";
    public const string LeftOut = "a line that the filter leaves out is not in the table";

    private readonly Story _story;
    private readonly Dictionary<int, int> _arrived = [];
    private Tables _tables;

    public TableWatch(Story story)
    {
        _story = story;
        _tables = story.Database.Tables;
        story.Database.Committed = Committed;
        story.Database.Restored = Restored;
    }

    public int ArrivedCount => _arrived.Count;

    public bool HasAll(List<Line> lines) => Missing(lines) is null;

    public Line? Missing(List<Line> lines)
    {
        foreach (Line line in lines)
        {
            if (line.Least > 0 && !_arrived.ContainsKey(line.Id) && !_story.Filter.MayLack(line))
            {
                return line;
            }
        }
        return null;
    }

    private void Committed(Session session)
    {
        // Without records a flush only moves the ledger, as to the log's new start.
        if (session is { BeganPaused: true, Updates.Count: > 0, Rows.Count: > 0 })
        {
            _story.World.Fail(PausedStores, $"a flush of log {session.Updates[0].LogId} began while it was paused");
        }
        foreach (DeadLetter letter in session.TakenLetters)
        {
            if (Line.IdOf(letter.Value.Span) is { } id)
            {
                _arrived[id]--; // it arrives again, as a row or a letter
            }
        }
        foreach (LedgerUpdate update in session.Updates)
        {
            foreach (TableRow row in session.Rows)
            {
                if (row.LogId == update.LogId && (row.Offset < update.Expected || row.Offset >= update.Next))
                {
                    _story.World.Fail("the ledger fits the rows",
                        $"log {row.LogId}: a row of offset {row.Offset} in the step from {update.Expected} to {update.Next}");
                }
            }
        }
        foreach (TableRow row in session.Rows)
        {
            // Parts count when the last one is there; the account at the end joins them properly.
            if (row.Part == 0)
            {
                Arrive(row.Value);
            }
        }
        foreach (DeadLetter letter in session.DeadLetters)
        {
            Arrive(letter.Value.ToArray());
        }
        foreach (IGrouping<(int SourceId, long LineBegin), TableRow> cut in session.Rows.Where(static row => row.Part > 0).GroupBy(static row => (row.SourceId, row.LineBegin)))
        {
            byte[] whole = [.. _tables.Rows.Where(row => row.Part > 0 && (row.SourceId, row.LineBegin) == cut.Key)
                .OrderBy(static row => row.Part).SelectMany(static row => row.Value)];
            if (Line.IdOf(whole) is { } id)
            {
                _arrived.TryAdd(id, 1);
            }
        }
    }

    /// <summary>Each line is there as often as it must and may, as a row or a dead letter.</summary>
    public void CheckLines()
    {
        Dictionary<int, int> counted = Delivery.CountTable(_tables);
        if (_story.Lines.Find(line => _story.Filter.MustLack(line) && counted.ContainsKey(line.Id)) is { } kept)
        {
            _story.World.Fail(LeftOut, $"line {kept.Id} is there: {Places(kept.Id)}; {kept.Story}");
            return;
        }
        Delivery.CheckLines(_story.World, "table", _story.Lines, counted, _story.Filter.MayLack);
    }

    /// <summary>Of each log and offset there is one row or one dead letter; only where no offset comes twice.</summary>
    public void CheckPlaces()
    {
        var places = new HashSet<(int Log, long Offset)>();
        foreach ((int Log, long Offset) place in _tables.Rows.Select(static row => (row.LogId, row.Offset)).Concat(_tables.DeadLetters.Select(static letter => (letter.LogId, letter.Offset))))
        {
            if (!places.Add(place))
            {
                _story.World.Fail(RowOrLetter, $"log {place.Log} has offset {place.Offset} twice");
                return;
            }
        }
    }

    private void Arrive(byte[] value)
    {
        if (Line.IdOf(value) is not { } id)
        {
            return;
        }
        int count = _arrived[id] = _arrived.GetValueOrDefault(id) + 1;
        Line line = _story.Lines[id];
        if (count > line.Most)
        {
            _story.World.Fail("a line is in the table once", $"line {id} arrives {count} times: {Places(id)}; {line.Story}");
        }
    }

    // The rows and dead letters that hold the line, for messages.
    private string Places(int id) => string.Join(", then ", _tables.DeadLetters.Where(letter => Line.IdOf(letter.Value.Span) == id)
        .Select(static letter => $"dead letter {letter}").Concat(_tables.Rows.Where(row => Line.IdOf(row.Value) == id).Select(row =>
    {
        Source source = _tables.Sources.First(known => known.Id == row.SourceId).Source;
        return string.Create(CultureInfo.InvariantCulture, $"{source.File} generation {source.Key.Generation:x} bytes {row.CoveredBegin}..{row.CoveredEnd} at offset {row.Offset}");
    })));

    private void Restored()
    {
        _tables = _story.Database.Tables;
        _arrived.Clear();
        foreach ((int id, int count) in Delivery.CountTable(_tables))
        {
            _arrived[id] = count;
        }
    }
}
