using System.Net;

namespace LogPipeline.Sinks.Query.Language;

/// <summary>A condition on rows, its fields and values checked. A field without a value fulfils no test, so its opposite holds.</summary>
public abstract record QueryNode;

/// <summary>Holds where all do.</summary>
public sealed record AllOf(IReadOnlyList<QueryNode> Nodes) : QueryNode;

/// <summary>Holds where one of them does.</summary>
public sealed record AnyOf(IReadOnlyList<QueryNode> Nodes) : QueryNode;

/// <summary>Holds where the other does not.</summary>
public sealed record Opposite(QueryNode Node) : QueryNode;

/// <summary>The field has a value.</summary>
public sealed record HasValue(QueryField Field) : QueryNode;

/// <summary>A field's text is tested; one that is no text is taken as it is written.</summary>
public sealed record TextTest(QueryField Field, TextTestKind Kind, string Value, bool IgnoreCase) : QueryNode;

/// <summary>A field's address is in a network, which may be of one address alone.</summary>
public sealed record InNetwork(QueryField Field, IPNetwork Network) : QueryNode;

/// <summary>A field is compared with a value of its kind, one in JSON with a text or a number: string, long, double, bool or <see cref="DateTimeOffset"/>.</summary>
public sealed record Comparison(QueryField Field, ComparisonSign Sign, object Value) : QueryNode;

public enum TextTestKind
{
    Contains,
    Equals,

    /// <summary>The value is a pattern of the whole: <c>*</c> stands for any text, a backslash takes a star's meaning away.</summary>
    Like,

    /// <summary>The value is a regular expression that some part of the text matches.</summary>
    Matches,
}

public enum ComparisonSign
{
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
