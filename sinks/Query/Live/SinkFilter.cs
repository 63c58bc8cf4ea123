using System.Text;
using LogPipeline.Client;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Query.Live;

/// <summary>
/// Marks the records that a sink's <c>where</c> leaves out, by the same rules as a query finds rows. Parts of a line that was cut are not left out: none of
/// them has what the whole line has. Numbers, and texts with their case, are compared as bytes; other conditions ask a row made for them.
/// One owner: a partition's loop, or a walk over a log.
/// </summary>
internal sealed class SinkFilter
{
    private delegate bool Test(RowBatch rows, int index);

    /// <summary>Not known of a record on its way: rows are made without them.</summary>
    private static readonly string[] Unknown = ["topic", "partition"];

    private static readonly TopicPartition Nowhere = new("", 0);

    private readonly ILineParser _parser;
    private readonly LiveRows _rows;
    private readonly Test _isWanted;

    private SinkFilter(ILineParser parser, QueryNode condition)
    {
        (_parser, _rows) = (parser, new LiveRows(parser));
        _isWanted = Compile(condition);
    }

    /// <summary>The filter of a parser that has one; null where all is stored.</summary>
    /// <exception cref="SinkConfigurationException">It cannot be read: says where and what to write.</exception>
    public static SinkFilter? Of(ILineParser parser)
    {
        if (parser.Where is not { } where)
        {
            return null;
        }
        try
        {
            QueryNode condition = QueryParser.Parse(where, new QueryFields(parser.Columns), now: null)
                ?? throw new SinkConfigurationException("where is empty: write which rows are stored, such as where: 'status>=500', or leave it out to store all");
            return FieldsOf(condition).FirstOrDefault(field => Unknown.Contains(field.Name)) is not { } unknown ? new SinkFilter(parser, condition)
                : throw new SinkConfigurationException($"where: {unknown.Name} is no field of a line; what a sink reads is named by `topics`");
        }
        catch (QuerySyntaxException error)
        {
            throw new SinkConfigurationException($"where: {error.Message}");
        }
    }

    /// <param name="rows">Parsed, and not told apart yet by what is stored.</param>
    public void Apply(RowBatch rows)
    {
        Span<Row> all = rows.Rows;
        for (int i = 0; i < all.Length; i++)
        {
            if (all[i] is { State: RowState.Store, Part: 0 } && !_isWanted(rows, i))
            {
                all[i].State = RowState.Unwanted;
            }
        }
    }

    private static IEnumerable<QueryField> FieldsOf(QueryNode condition) => condition switch
    {
        AllOf all => all.Nodes.SelectMany(FieldsOf),
        AnyOf any => any.Nodes.SelectMany(FieldsOf),
        Opposite opposite => FieldsOf(opposite.Node),
        HasValue has => [has.Field],
        TextTest test => [test.Field],
        InNetwork test => [test.Field],
        Comparison comparison => [comparison.Field],
        _ => throw new ArgumentException($"no fields of {condition.GetType()}", nameof(condition)),
    };

    private Test Compile(QueryNode condition)
    {
        switch (condition)
        {
            case AllOf all:
                return Until(false, all.Nodes);
            case AnyOf any:
                return Until(true, any.Nodes);
            case Opposite opposite:
                Test other = Compile(opposite.Node);
                return (rows, index) => !other(rows, index);
            case HasValue has when ColumnOf(has.Field) is var column and >= 0:
                return (rows, index) => rows.Fields(index)[column].HasValue;
            case Comparison { Value: long } comparison when ColumnOf(comparison.Field, ColumnKind.Integer, ColumnKind.BigInteger) is var column and >= 0:
                return OfNumber(comparison, column);
            case TextTest { IgnoreCase: false, Kind: TextTestKind.Contains or TextTestKind.Equals } test when test.Field.Name == "line" || ColumnOf(test.Field, ColumnKind.Text) >= 0:
                return OfBytes(test);
            default:
                return (rows, index) => RowMatch.Matches(condition, _rows.Make(Nowhere, rows, index));
        }
    }

    /// <summary>Asks one after another until one says so; then that is what they say together.</summary>
    private Test Until(bool answer, IReadOnlyList<QueryNode> nodes)
    {
        Test[] tests = [.. nodes.Select(Compile)];
        return (rows, index) =>
        {
            foreach (Test test in tests)
            {
                if (test(rows, index) == answer)
                {
                    return answer;
                }
            }
            return !answer;
        };
    }

    private static Test OfNumber(Comparison comparison, int column)
    {
        (ComparisonSign sign, long with) = (comparison.Sign, (long)comparison.Value);
        return (rows, index) => rows.Fields(index)[column] is { HasValue: true } field && RowMatch.Holds(sign, field.Number.CompareTo(with));
    }

    private Test OfBytes(TextTest test)
    {
        (byte[] value, bool isWhole, int column) = (Encoding.UTF8.GetBytes(test.Value), test.Kind == TextTestKind.Equals, ColumnOf(test.Field, ColumnKind.Text));
        return (rows, index) =>
        {
            ReadOnlySpan<byte> text = rows.Text(rows.Rows[index]);
            if (column >= 0)
            {
                Field field = rows.Fields(index)[column];
                if (!field.HasValue)
                {
                    return false;
                }
                text = rows.Bytes(field, text);
            }
            return isWhole ? text.SequenceEqual(value) : text.IndexOf(value) >= 0;
        };
    }

    /// <summary>The index of the parser's column that a field is, if it is of one of some kinds; else -1.</summary>
    /// <param name="kinds">Empty: of any.</param>
    private int ColumnOf(QueryField field, params ReadOnlySpan<ColumnKind> kinds)
    {
        for (int i = 0; field.Path is null && i < _parser.Columns.Count; i++)
        {
            if (_parser.Columns[i].Name == field.Name)
            {
                return kinds.IsEmpty || kinds.Contains(_parser.Columns[i].Kind) ? i : -1;
            }
        }
        return -1;
    }
}
