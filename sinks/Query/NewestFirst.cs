using System.Runtime.CompilerServices;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Query;

/// <summary>
/// Reads the newest rows first where no index has them in the order of time, but ranges of blocks and partitions know their least and
/// greatest time: so a narrow window of time costs little, however large the table is.
/// <list type="number">
/// <item>Where rows are looked for, the database may have an index that finds them, or little to look through: then it is asked for all at once.</item>
/// <item>Few rows that are asked for are mostly the last that were stored. They are read from the end of the newest partition that has any, and
/// it is proved that no row before in it has a later time; then from the next one, while too few are found.</item>
/// <item>Else windows of time are read, from now back, each wider than the one before as long as few rows are found. Where an index finds
/// rare values, and they were rare in the last hours, the rest is asked for without a time.</item>
/// </list>
/// </summary>
internal sealed class NewestFirst(ISqlDialect dialect, Func<QuerySql> sql, RowDecoder decoder, TableName table, TimeProvider time)
{
    private const int FewRows = 1000;
    private const long PagesAtFirst = 16;
    private const long PagesMax = 1024; // 8 MB
    private const int PagesWidening = 4;

    private const int RowsOfWide = 1000; // fewer in a window: the next one is wider
    private const int RowsOfNarrow = 50_000; // more: it is narrower, so that the database need not sort many
    private static readonly TimeSpan WidthAtFirst = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan WidthByTime = TimeSpan.FromHours(9); // what is wider is asked for by an index of rare values, if one serves
    private static readonly TimeSpan WidthMax = TimeSpan.FromDays(10 * 365); // what is older comes in one window

    /// <param name="query">What is asked for.</param>
    /// <param name="byIndex">Whether an index finds its rows that the planner would not use.</param>
    /// <param name="cancellation">Ends it.</param>
    public async IAsyncEnumerable<LogRow> RunAsync(LogQuery query, bool byIndex, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (query.Filter is not null && await dialect.IsCheapAsync(AtOnce(query, query.Limit).Select(decoder.Selected), query.Patience, cancellation))
        {
            await foreach (LogRow row in ReadAsync(AtOnce(query, query.Limit), query, null, cancellation))
            {
                yield return row;
            }
            yield break;
        }
        long rowsTable = await dialect.RowsTableAsync(table, cancellation);
        await foreach (LogRow row in InPiecesAsync(query, byIndex, cancellation))
        {
            yield return row;
        }
        // In the table that a rebuild swaps in, lines may have other times: rows would be left out, or stand there twice.
        if (await dialect.RowsTableAsync(table, cancellation) != rowsTable)
        {
            throw new RowsReplacedException(table.ToString());
        }
    }

    private async IAsyncEnumerable<LogRow> InPiecesAsync(LogQuery query, bool byIndex, [EnumeratorCancellation] CancellationToken cancellation)
    {
        TimeBounds bounds = TimeBounds.Of(query);
        DateTimeOffset? floor = bounds.From;
        if (query.Limit is > 0 and <= FewRows && bounds.To is null && !byIndex)
        {
            (List<LogRow> last, bool isAll) = await AtEndAsync(query, floor, cancellation);
            if (isAll)
            {
                foreach (LogRow row in last)
                {
                    yield return row;
                }
                yield break;
            }
            // As many as asked for were found: what is older than the last of them is not among the newest.
            floor = last.Count == query.Limit ? last[^1].Time : floor;
        }
        await foreach (LogRow row in InWindowsAsync(query, floor, bounds.To, byIndex, cancellation))
        {
            yield return row;
        }
    }

    private async IAsyncEnumerable<LogRow> InWindowsAsync(
        LogQuery query, DateTimeOffset? floor, DateTimeOffset? end, bool byIndex, [EnumeratorCancellation] CancellationToken cancellation)
    {
        DateTimeOffset now = time.GetUtcNow();
        (TimeSpan width, int left) = (WidthAtFirst, query.Limit);
        for (bool isLast = false; !isLast;)
        {
            if (byIndex && width > WidthByTime && end is { } before)
            {
                await foreach (LogRow row in BeforeAsync(query, before, left, cancellation))
                {
                    yield return row;
                }
                yield break;
            }
            // The first window has what is to come, too: clocks differ.
            DateTimeOffset? begin = width < WidthMax ? (end is { } until && until < now ? until : now) - width : null;
            isLast = begin is null || begin <= floor;
            QuerySql window = sql().Where(query, wholeLines: true).InTime(isLast ? floor : begin, end).InTimeOrder(descending: true, after: null).Limit(left);
            int found = 0;
            await foreach (LogRow row in ReadAsync(window, query, end, cancellation))
            {
                found++;
                yield return row;
                if (left > 0 && --left == 0)
                {
                    yield break;
                }
            }
            width = found switch { 0 => width * 8, < RowsOfWide => width * 4, > RowsOfNarrow => width / 2, _ => width };
            end = begin;
        }
    }

    /// <summary>
    /// The rest of the rows, before a time. The statement does not name it: the planner would look for the time, which leaves most of the table, and not
    /// for the rare value. What it gives of later times was given before, and is not much.
    /// </summary>
    private async IAsyncEnumerable<LogRow> BeforeAsync(LogQuery query, DateTimeOffset end, int left, [EnumeratorCancellation] CancellationToken cancellation)
    {
        int limit = query.Limit + (query.Limit - left);
        int given = 0;
        await foreach (LogRow row in ReadAsync(AtOnce(query, limit), query, end, cancellation, byIndex: true))
        {
            if (row.Time >= end)
            {
                continue;
            }
            yield return row;
            if (++given == left)
            {
                yield break;
            }
        }
    }

    /// <summary>The newest of the rows that were stored last, and whether they are the newest of all.</summary>
    private async Task<(List<LogRow> Rows, bool IsAll)> AtEndAsync(LogQuery query, DateTimeOffset? floor, CancellationToken cancellation)
    {
        var rows = new List<LogRow>();
        IReadOnlyList<TableStretch> stretches = await dialect.StretchesAsync(table, cancellation);
        foreach (TableStretch stretch in stretches.TakeWhile(stretch => floor is null || stretch.To is null || stretch.To > floor))
        {
            (List<LogRow> last, bool isAll) = await AtEndAsync(query with { Limit = query.Limit - rows.Count }, stretch, floor, cancellation);
            rows.AddRange(last);
            if (!isAll || rows.Count == query.Limit)
            {
                return (rows, isAll);
            }
        }
        return (rows, stretches.Count > 0);
    }

    /// <summary>The newest of the rows that were stored last in a stretch, and whether they are its newest.</summary>
    private async Task<(List<LogRow> Rows, bool IsAll)> AtEndAsync(LogQuery query, TableStretch stretch, DateTimeOffset? floor, CancellationToken cancellation)
    {
        var rows = new List<LogRow>();
        for (long last = PagesAtFirst; last <= PagesMax;)
        {
            long first = Math.Max(0, stretch.Pages - last);
            rows.Clear();
            QuerySql atEnd = In(stretch, query).FromPage(first).InTimeOrder(descending: true, after: null).Limit(query.Limit);
            await foreach (LogRow row in ReadAsync(atEnd, query, null, cancellation))
            {
                rows.Add(row);
            }
            bool isFull = rows.Count == query.Limit;
            // Few rows of a small first look say how far to look, and not that there are no others.
            DateTimeOffset? least = isFull ? rows[^1].Time : last > PagesAtFirst ? floor : null;
            if (first == 0 || (least is { } since && !await IsAnyBeforeAsync(query, stretch, first, since, included: !isFull, cancellation)))
            {
                return (rows, true);
            }
            last = isFull ? last * PagesWidening : Math.Max(last * PagesWidening, last * query.Limit * 3 / 2 / Math.Max(1, rows.Count));
        }
        return (rows, false);
    }

    /// <summary>Whether a row that was stored before has a later time. The ranges of blocks tell, so that few rows are looked at.</summary>
    private async Task<bool> IsAnyBeforeAsync(LogQuery query, TableStretch stretch, long page, DateTimeOffset least, bool included, CancellationToken cancellation)
    {
        QuerySql before = In(stretch, query).BeforePage(page).InTime(included ? least : least + TimeSpan.FromMicroseconds(1), null).Limit(1);
        await foreach (LogRow _ in ReadAsync(before, query, null, cancellation, byIndex: true))
        {
            return true;
        }
        return false;
    }

    private QuerySql AtOnce(LogQuery query, int limit) => sql().Where(query, wholeLines: true).InTimeOrder(descending: true, after: null).Limit(limit);

    private QuerySql In(TableStretch stretch, LogQuery query) => sql().Where(query, wholeLines: true).InTime(stretch.From, stretch.To);

    private async IAsyncEnumerable<LogRow> ReadAsync(
        QuerySql select, LogQuery query, DateTimeOffset? done, [EnumeratorCancellation] CancellationToken cancellation, bool byIndex = false)
    {
        SqlStatement statement = select.Select(decoder.Selected) with { ByIndex = byIndex };
        await using IAsyncEnumerator<LogRow> rows = dialect.StreamAsync<LogRow>(_ => statement, decoder.Row, query.Patience, cancellation).GetAsyncEnumerator(cancellation);
        while (await NextAsync(rows, query, done))
        {
            yield return rows.Current;
        }
    }

    private static async ValueTask<bool> NextAsync(IAsyncEnumerator<LogRow> rows, LogQuery query, DateTimeOffset? done)
    {
        try
        {
            return await rows.MoveNextAsync();
        }
        catch (QueryTimeoutException) when (done is not null)
        {
            throw new QueryTimeoutException(query.Patience, done);
        }
    }
}
