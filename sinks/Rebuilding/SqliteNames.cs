using System.Data.Common;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;
using Microsoft.Data.Sqlite;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>
/// Gives another table the live one's names in SQLite, where a view finds what it reads by its name: what people built on the live one reads the new one.
/// Indexes keep their names, as SQLite renames none, and are known by what these end in.
/// </summary>
/// <param name="connection">In a transaction: nobody else writes.</param>
/// <param name="live">What the names stand for from now on.</param>
/// <param name="incoming">What takes them.</param>
/// <param name="outgoing">What the table that had them is called from now on.</param>
internal sealed class SqliteNames(DbConnection connection, TableName live, TableName incoming, TableName outgoing)
{
    /// <exception cref="RebuildRefusedException">A trigger would stay with the table that goes, or a view could not read the one that comes.</exception>
    public async Task ExchangeAsync(CancellationToken cancellation)
    {
        await RequireNoTriggersAsync(cancellation);
        IReadOnlyList<string> readers = await ReadersAsync(cancellation);
        string next = await SelectAsync(incoming, live, cancellation);
        string before = await SelectAsync(live, outgoing, cancellation);
        // The other way SQLite would write the new names into the text of views, and refuse where one of them reads a view that is dropped here for a moment.
        await connection.ExecuteAsync("PRAGMA legacy_alter_table = ON", cancellation);
        await connection.ExecuteAsync($"""
            DROP VIEW {live}; DROP VIEW {incoming};
            ALTER TABLE {live.Rows} RENAME TO {outgoing.Rows};
            ALTER TABLE {incoming.Rows} RENAME TO {live.Rows};
            CREATE VIEW {live} AS {next};
            CREATE VIEW {outgoing} AS {before};
            """, cancellation);
        foreach (string reader in readers)
        {
            if (await WhyUnreadableAsync(reader, cancellation) is { } reason)
            {
                throw new RebuildRefusedException($"view {reader} could not read the new table ({reason}): drop that, and make it again after the swap");
            }
        }
    }

    /// <summary>The text of a table's view, with its columns in their order, as it is to be under another name.</summary>
    private async Task<string> SelectAsync(TableName view, TableName name, CancellationToken cancellation)
    {
        IReadOnlyList<string> parsed = [.. (await ColumnsAsync(view.Rows, cancellation)).Except(RowColumns.Fixed)];
        return RowColumns.ViewSelect(name, RowColumns.OfView(view, await ColumnsAsync(view.ToString(), cancellation), parsed));
    }

    private Task<IReadOnlyList<string>> ColumnsAsync(string relation, CancellationToken cancellation) =>
        connection.ListAsync("SELECT name FROM pragma_table_info(@p0) ORDER BY cid", reader => reader.GetString(0), cancellation, relation);

    private async Task RequireNoTriggersAsync(CancellationToken cancellation)
    {
        if (await connection.ScalarAsync("SELECT group_concat(name, ', ') FROM sqlite_master WHERE type = 'trigger' AND tbl_name COLLATE NOCASE IN (@p0, @p1)", cancellation,
            live.ToString(), live.Rows) is string triggers)
        {
            throw new RebuildRefusedException($"trigger {triggers} would stay with the table that is swapped out: drop that, and make it again after the swap");
        }
    }

    /// <summary>The views of other people that can be read now.</summary>
    private async Task<IReadOnlyList<string>> ReadersAsync(CancellationToken cancellation)
    {
        IReadOnlyList<string> views = await connection.ListAsync("SELECT name FROM sqlite_master WHERE type = 'view' AND name COLLATE NOCASE NOT IN (@p0, @p1)",
            reader => reader.GetString(0), cancellation, live.ToString(), incoming.ToString());
        var readers = new List<string>();
        foreach (string view in views)
        {
            if (await WhyUnreadableAsync(view, cancellation) is null)
            {
                readers.Add(view);
            }
        }
        return readers;
    }

    private async Task<string?> WhyUnreadableAsync(string view, CancellationToken cancellation)
    {
        try
        {
            await connection.ExecuteAsync($"EXPLAIN SELECT * FROM \"{view.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", cancellation);
            return null;
        }
        catch (SqliteException error)
        {
            return error.Message;
        }
    }
}
