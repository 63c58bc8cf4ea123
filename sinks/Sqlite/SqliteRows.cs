using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using SQLitePCL;
using static SQLitePCL.raw;

namespace LogPipeline.Sinks.Sqlite;

/// <summary>Inserts rows by one kept statement, bound from the batch's bytes. Runs on the database's thread.</summary>
internal sealed class SqliteRows
{
    private readonly SqliteDatabase _database;
    private readonly ColumnKind[] _kinds;
    private readonly string _sql;
    private readonly byte[] _address = new byte[Addresses.TextLengthMax];
    private readonly byte[] _time = new byte[TimeText.Length];

    public SqliteRows(SqliteDatabase database, string table, ILineParser parser)
    {
        _database = database;
        _kinds = [.. parser.Columns.Select(column => column.Kind)];
        IReadOnlyList<string> names = RowColumns.Of(parser);
        _sql = $"INSERT INTO {table}_rows ({string.Join(", ", names)}) VALUES ({string.Join(", ", names.Select(_ => "?"))})";
    }

    /// <summary>Stores what is to be stored; a row that a constraint refuses is marked and the others go on.</summary>
    public void Insert(int logId, RowBatch rows, IReadOnlyList<int> sourceIds)
    {
        rows.RequireParsed(_kinds.Length);
        sqlite3_stmt statement = _database.Prepare(_sql);
        Span<Row> all = rows.Rows;
        for (int i = 0; i < all.Length; i++)
        {
            ref readonly Row row = ref all[i];
            if (row.State != RowState.Store)
            {
                continue;
            }
            Bind(statement, logId, rows, i, row.Source < 0 ? 0 : sourceIds[row.Source]);
            int code = sqlite3_step(statement);
            sqlite3_reset(statement);
            if (code == SQLITE_DONE)
            {
                if (_database.Changes == 0)
                {
                    rows.Refuse(i, "ignored", "a trigger of the table keeps the row out");
                }
                continue;
            }
            if ((code & 0xFF) is not (SQLITE_CONSTRAINT or SQLITE_TOOBIG or SQLITE_MISMATCH))
            {
                _database.Check(code);
            }
            if (!_database.IsInTransaction)
            {
                throw new StoreRefusedException($"the rows table's own constraint or trigger ends the whole transaction: {_database.Message}. "
                    + "Let it say ABORT or FAIL instead of ROLLBACK, so that it refuses one row; until then the sink waits, and no row is thrown aside.");
            }
            rows.Refuse(i, $"sqlite {code}", _database.Message);
        }
    }

    private void Bind(sqlite3_stmt statement, int logId, RowBatch rows, int index, int source)
    {
        ref readonly Row row = ref rows.Rows[index];
        ReadOnlySpan<byte> text = rows.Text(row);
        sqlite3_bind_int(statement, 1, logId);
        sqlite3_bind_int64(statement, 2, row.Offset);
        TimeText.Write(_time, row.EventTime);
        sqlite3_bind_text(statement, 3, _time);
        BindPosition(statement, row, source);
        sqlite3_bind_int(statement, 6, row.Part);
        BindText(statement, 7, text);
        if (row.IsExact)
        {
            sqlite3_bind_null(statement, 8);
        }
        else
        {
            sqlite3_bind_blob(statement, 8, rows.Value(row));
        }
        sqlite3_bind_int(statement, 9, row.IsParsed ? 1 : 0);
        sqlite3_bind_int(statement, 10, (int)row.Flags);
        ReadOnlySpan<Field> fields = rows.Fields(index);
        for (int i = 0; i < fields.Length; i++)
        {
            BindField(statement, RowColumns.Fixed.Count + 1 + i, fields[i], _kinds[i], rows, text);
        }
    }

    private static void BindPosition(sqlite3_stmt statement, in Row row, int source)
    {
        if (source == 0)
        {
            sqlite3_bind_null(statement, 4);
            sqlite3_bind_null(statement, 5);
            return;
        }
        sqlite3_bind_int(statement, 4, source);
        sqlite3_bind_int64(statement, 5, row.LineBegin);
    }

    private void BindField(sqlite3_stmt statement, int at, in Field field, ColumnKind kind, RowBatch rows, ReadOnlySpan<byte> text)
    {
        if (!field.HasValue)
        {
            sqlite3_bind_null(statement, at);
            return;
        }
        switch (kind)
        {
            case ColumnKind.Text or ColumnKind.Json:
                BindText(statement, at, rows.Bytes(field, text));
                break;
            case ColumnKind.Address:
                sqlite3_bind_text(statement, at, _address.AsSpan(0, Addresses.Format(rows.Bytes(field, text), _address)));
                break;
            case ColumnKind.Time:
                TimeText.Write(_time, field.Number);
                sqlite3_bind_text(statement, at, _time);
                break;
            case ColumnKind.Double:
                sqlite3_bind_double(statement, at, field.Double);
                break;
            default:
                sqlite3_bind_int64(statement, at, field.Number);
                break;
        }
    }

    /// <summary>An empty span has no address, which SQLite would take for NULL.</summary>
    private static void BindText(sqlite3_stmt statement, int at, ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
        {
            sqlite3_bind_text(statement, at, "");
        }
        else
        {
            sqlite3_bind_text(statement, at, text);
        }
    }
}
