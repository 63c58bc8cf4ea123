using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Query.Language;

/// <summary>Tells whether a row fulfils a condition, without a database.</summary>
public static class RowMatch
{
    private const int PatternsMax = 100;
    private static readonly ConcurrentDictionary<(string Pattern, bool IgnoreCase), Regex> Patterns = new();

    public static bool Matches(QueryNode node, LogRow row) => node switch
    {
        AllOf all => all.Nodes.All(one => Matches(one, row)),
        AnyOf any => any.Nodes.Any(one => Matches(one, row)),
        Opposite opposite => !Matches(opposite.Node, row),
        HasValue has => has.Field.Of(row) is not null,
        TextTest test => Convert.ToString(test.Field.Of(row), CultureInfo.InvariantCulture) is { } text && test.Field.Of(row) is not null && Matches(test, text),
        InNetwork test => test.Field.Of(row) is string address && IsIn(address, test.Network),
        Comparison comparison => comparison.Field.Of(row) is { } value && Compare(value, comparison.Value) is { } order && Holds(comparison.Sign, order),
        _ => throw new ArgumentException($"no test for {node.GetType()}", nameof(node)),
    };

    /// <summary>As the databases say it: ::ffff:10.1.2.3 is in no network of IPv4, where .NET's <c>Contains</c> would have it.</summary>
    internal static bool IsIn(string address, IPNetwork network)
    {
        if (Addresses.Read(address)?.GetAddressBytes() is not { } bytes || network.BaseAddress.GetAddressBytes() is var known && known.Length != bytes.Length)
        {
            return false;
        }
        (int whole, int bits) = Math.DivRem(network.PrefixLength, 8);
        return known.AsSpan(..whole).SequenceEqual(bytes.AsSpan(..whole)) && (bits == 0 || (known[whole] ^ bytes[whole]) >> (8 - bits) == 0);
    }

    /// <summary>The pattern, compiled once.</summary>
    internal static Regex Pattern(string pattern, bool ignoreCase)
    {
        if (Patterns.Count > PatternsMax)
        {
            Patterns.Clear();
        }
        return Patterns.GetOrAdd((pattern, ignoreCase), static key => TextPattern.Regex(key.Pattern, key.IgnoreCase));
    }

    private static bool Matches(TextTest test, string text)
    {
        StringComparison comparison = test.IgnoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return test.Kind switch
        {
            TextTestKind.Contains => text.Contains(test.Value, comparison),
            TextTestKind.Equals => string.Equals(text, test.Value, comparison),
            TextTestKind.Like => Pattern(TextPattern.Whole(test.Value), test.IgnoreCase).IsMatch(text),
            _ => Pattern(test.Value, test.IgnoreCase).IsMatch(text),
        };
    }

    /// <summary>Null where there is no order: a text in JSON is no number.</summary>
    private static int? Compare(object value, object with) => (value, with) switch
    {
        (_, string other) => string.CompareOrdinal(Convert.ToString(value, CultureInfo.InvariantCulture), other),
        (string, _) => null,
        (DateTimeOffset time, DateTimeOffset other) => time.CompareTo(other),
        (bool truth, bool other) => truth.CompareTo(other),
        (long number, long other) => number.CompareTo(other),
        (decimal number, long other) => number.CompareTo(other),
        _ => Convert.ToDouble(value, CultureInfo.InvariantCulture).CompareTo(Convert.ToDouble(with, CultureInfo.InvariantCulture)),
    };

    internal static bool Holds(ComparisonSign sign, int order) => sign switch
    {
        ComparisonSign.Equal => order == 0,
        ComparisonSign.Less => order < 0,
        ComparisonSign.LessOrEqual => order <= 0,
        ComparisonSign.Greater => order > 0,
        _ => order >= 0,
    };
}
