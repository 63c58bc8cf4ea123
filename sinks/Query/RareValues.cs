using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Query;

/// <summary>
/// Knows the indexes that find rare values: a Bloom filter for each stretch of the table. PostgreSQL's planner takes such an index to leave most of
/// the table, and reads all of it instead, so a question that one serves is to be asked by index.
/// </summary>
/// <param name="indexes">The sink's.</param>
internal sealed class RareValues(IReadOnlyList<RowIndex> indexes)
{
    /// <summary>Whether an index finds the stretches in which the condition can hold.</summary>
    public bool Serve(QueryNode? condition) => condition switch
    {
        AllOf all => all.Nodes.Any(Serve),
        AnyOf any => any.Nodes.All(Serve),
        TextTest { Kind: TextTestKind.Equals, IgnoreCase: false } test => Has(test.Field),
        Comparison { Sign: ComparisonSign.Equal, Value: string } comparison => Has(comparison.Field),
        _ => false,
    };

    private bool Has(QueryField field) => field.Kind != FieldKind.Member && indexes.Any(index => index.Kind == RowIndexKind.Bloom && index.Column == field.Name);
}
