using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Sinks.Query;

/// <summary>Turns a condition into SQL. Nothing of a query's text stands in it: names are the view's own, values become parameters.</summary>
/// <param name="dialect">The database's.</param>
/// <param name="value">Makes a parameter of a value and returns its name.</param>
/// <param name="elsewhere">Given a test of the column <c>p.line</c>, one that looks for it in the later parts of a long line; null where each part stands for itself.</param>
internal sealed class FilterSql(ISqlDialect dialect, Func<object, string> value, Func<string, string>? elsewhere)
{
    private readonly FieldSql _fields = new(dialect, value);

    public string Compile(QueryNode node) => Compile(node, isOpposite: false);

    // A test of a missing value is NULL. It counts as false, also where its opposite is asked for: so opposites are taken at the tests alone.
    private string Compile(QueryNode node, bool isOpposite) => node switch
    {
        AllOf all => Join(all.Nodes, isOpposite ? " OR " : " AND ", isOpposite),
        AnyOf any => Join(any.Nodes, isOpposite ? " AND " : " OR ", isOpposite),
        Opposite opposite => Compile(opposite.Node, !isOpposite),
        HasValue has => $"{_fields.Stored(has.Field)} IS {(isOpposite ? "" : "NOT ")}NULL",
        TextTest test => Leaf(Text(test), isOpposite),
        InNetwork test => Leaf(dialect.InNetwork(_fields.Address(test.Field), test.Network, value), isOpposite),
        Comparison comparison => Leaf(Compare(comparison), isOpposite),
        _ => throw new ArgumentException($"no SQL for {node.GetType()}", nameof(node)),
    };

    private string Join(IReadOnlyList<QueryNode> nodes, string word, bool isOpposite) => $"({string.Join(word, nodes.Select(node => Compile(node, isOpposite)))})";

    private static string Leaf(string test, bool isOpposite) => isOpposite ? $"({test}) IS NOT TRUE" : test;

    private string Text(TextTest test)
    {
        string here = dialect.Test(test, _fields.Text(test.Field), value);
        return test.Field.Name == "line" && elsewhere is not null ? $"({here} OR {elsewhere(dialect.Test(test, "p.line", value))})" : here;
    }

    private string Compare(Comparison comparison)
    {
        string sign = comparison.Sign switch
        {
            ComparisonSign.Equal => "=",
            ComparisonSign.Less => "<",
            ComparisonSign.LessOrEqual => "<=",
            ComparisonSign.Greater => ">",
            _ => ">=",
        };
        (string field, string with) = _fields.Compared(comparison.Field, comparison.Value);
        string order = comparison.Value is string && comparison.Sign != ComparisonSign.Equal ? dialect.ByteOrder : "";
        return $"{field}{order} {sign} {with}";
    }
}
