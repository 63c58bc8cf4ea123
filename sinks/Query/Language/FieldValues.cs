using System.Globalization;
using System.Net;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Query.Language;

/// <summary>Reads values of the kind that a field has.</summary>
internal sealed class FieldValues(QueryScanner scanner, DateTimeOffset? now, bool ignoreCase)
{
    /// <summary>What a time is read by that must be the same whenever it is read.</summary>
    private static readonly DateTimeOffset SomeDay = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>A text, quoted or not.</summary>
    public string Text()
    {
        int begin = scanner.At;
        string text = scanner.Current == '"' ? scanner.TakeQuoted() : scanner.TakeValue();
        return text.Length > 0 ? text : throw scanner.Fault(begin, 1, "a value is missing here");
    }

    /// <summary><c>field:value</c>, <c>field:from..to</c>, <c>field:*</c>, and for a text a pattern with stars.</summary>
    public QueryNode Equal(QueryField field)
    {
        int begin = scanner.At;
        bool isQuoted = scanner.Current == '"';
        string text = isQuoted ? scanner.TakeQuoted() : Text();
        if (text == "*" && !isQuoted)
        {
            return new HasValue(field);
        }
        int dots = field.Kind is FieldKind.Number or FieldKind.Time || (field.Kind == FieldKind.Member && !isQuoted && IsRange(text)) ? text.IndexOf("..", StringComparison.Ordinal) : -1;
        if (dots >= 0)
        {
            return Range(field, text[..dots], begin, text[(dots + 2)..], begin + dots + 2);
        }
        if (!isQuoted && field.Kind is FieldKind.Text or FieldKind.Member && field.Name != "line" && IsNetwork(text))
        {
            return new InNetwork(field, Network(field, text, begin));
        }
        return field.Kind switch
        {
            FieldKind.Text when field.Name == "line" => new TextTest(field, TextTestKind.Contains, text, ignoreCase),
            FieldKind.Text or FieldKind.Member when text.Contains('*', StringComparison.Ordinal) && !isQuoted => new TextTest(field, TextTestKind.Like, text, ignoreCase),
            // 404 in JSON may be a number, written 404 or 404.0, or a text.
            FieldKind.Member when !isQuoted && TryNumber(text) is { } number => new AnyOf([new Comparison(field, ComparisonSign.Equal, number), new TextTest(field, TextTestKind.Equals, text, ignoreCase)]),
            FieldKind.Text or FieldKind.Member => new TextTest(field, TextTestKind.Equals, text, ignoreCase),
            FieldKind.Json => new TextTest(field, TextTestKind.Contains, text, ignoreCase),
            FieldKind.Address when text.Contains('*', StringComparison.Ordinal) && !isQuoted => new TextTest(field, TextTestKind.Like, text, ignoreCase),
            FieldKind.Address => new InNetwork(field, Network(field, text, begin)),
            FieldKind.Time => Time(text, begin).Within(field),
            FieldKind.Truth => new Comparison(field, ComparisonSign.Equal, Truth(text, begin)),
            _ => new Comparison(field, ComparisonSign.Equal, Number(field, text, begin)),
        };
    }

    /// <summary><c>field>=value</c></summary>
    public QueryNode Compared(QueryField field, string sign)
    {
        int begin = scanner.At;
        string text = Text();
        if (field.Kind == FieldKind.Time)
        {
            NamedTime time = Time(text, begin);
            return sign switch { "<" => time.Before(field), "<=" => time.UpTo(field), ">" => time.After(field), _ => time.From(field) };
        }
        object value = field.Kind switch
        {
            FieldKind.Text => text,
            FieldKind.Member => TryNumber(text) ?? text,
            FieldKind.Number => Number(field, text, begin),
            FieldKind.Truth => throw scanner.Fault(begin, text.Length, $"{field.Name} is true or false: it can only be asked for, as in {field.Name}:false"),
            FieldKind.Address => throw scanner.Fault(begin, text.Length, $"{field.Name} is an address, which has no order: ask for one, or for a network, as in {field.Name}:10.0.0.0/8"),
            _ => throw scanner.Fault(begin, text.Length, $"{field.Name} is JSON, which has no order: it can be searched, as in {field.Name}~text"),
        };
        return new Comparison(field, sign switch
        {
            "<" => ComparisonSign.Less,
            "<=" => ComparisonSign.LessOrEqual,
            ">" => ComparisonSign.Greater,
            _ => ComparisonSign.GreaterOrEqual,
        }, value);
    }

    /// <summary><c>[from to to]</c>, both included.</summary>
    public QueryNode Bracketed(QueryField field)
    {
        int begin = scanner.At;
        scanner.TryTake('[');
        scanner.SkipBlanks();
        int fromAt = scanner.At;
        string from = scanner.TakeValue();
        scanner.SkipBlanks();
        bool isRange = scanner.TryTakeKeyword("to");
        scanner.SkipBlanks();
        int toAt = scanner.At;
        string to = scanner.TakeValue(']');
        scanner.SkipBlanks();
        return isRange && scanner.TryTake(']') ? Range(field, from == "*" ? "" : from, fromAt, to == "*" ? "" : to, toAt)
            : throw scanner.Fault(begin, scanner.At - begin, $"a range is written {field.Name}:[from to to] or {field.Name}:from..to");
    }

    private QueryNode Range(QueryField field, string from, int fromAt, string to, int toAt)
    {
        var bounds = new List<QueryNode>();
        if (from.Length > 0)
        {
            bounds.Add(field.Kind == FieldKind.Time ? Time(from, fromAt).From(field) : new Comparison(field, ComparisonSign.GreaterOrEqual, Number(field, from, fromAt)));
        }
        if (to.Length > 0)
        {
            bounds.Add(field.Kind == FieldKind.Time ? Time(to, toAt).UpTo(field) : new Comparison(field, ComparisonSign.LessOrEqual, Number(field, to, toAt)));
        }
        return bounds.Count switch { 0 => new HasValue(field), 1 => bounds[0], _ => new AllOf(bounds) };
    }

    private NamedTime Time(string text, int at)
    {
        if (NamedTime.Parse(text, now ?? SomeDay) is not { } time)
        {
            throw scanner.Fault(
                at, text.Length, $"`{text}` is no time: write how long ago (15m, 2h, 1d), today, yesterday, or a day or time (2026-11-21, 2026-11-21T08:30; UTC without an offset)");
        }
        return now is not null || NamedTime.Parse(text, SomeDay.AddDays(1)) == time ? time
            : throw scanner.Fault(at, text.Length, $"`{text}` is another time whenever it is asked: write a day or a time here (2026-11-21, 2026-11-21T08:30; UTC without an offset)");
    }

    private bool Truth(string text, int at) => bool.TryParse(text, out bool truth) ? truth : throw scanner.Fault(at, text.Length, $"`{text}` is neither true nor false");

    private IPNetwork Network(QueryField field, string text, int at)
    {
        if (IPAddress.TryParse(text, out IPAddress? address))
        {
            return new IPNetwork(address, address.GetAddressBytes().Length * 8);
        }
        if (IPNetwork.TryParse(text, out IPNetwork network))
        {
            return network;
        }
        throw IsNetwork(text) ? scanner.Fault(at, text.Length, $"`{text}` is no network: an address has {(text.Contains(':', StringComparison.Ordinal) ? 128 : 32)} bits; in quotes it is a text") : scanner.Fault(
            at, text.Length, $"{field.Name} is an address, and `{text}` is neither one nor a network such as 10.0.0.0/8; for a part of its text write {field.Name}~{text}");
    }

    /// <summary>An address and a length. Addresses stand in columns of text too, where a log may have a name or `-` in their place.</summary>
    private static bool IsNetwork(string text) => text.LastIndexOf('/') is var slash and > 0 && Addresses.Read(text.AsSpan(..slash)) is not null
        && byte.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _);

    private object Number(QueryField field, string text, int at) => TryNumber(text) ?? throw scanner.Fault(at, text.Length, field.Kind == FieldKind.Member
        ? $"a range is one of numbers, and `{text}` is none" : $"{field.Name} is a number, and `{text}` is none; for a part of its digits write {field.Name}~{text}");

    /// <summary>A long, or else a double; null where the text is neither.</summary>
    private static object? TryNumber(string text)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole))
        {
            return whole;
        }
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) ? number : null;
    }

    /// <summary>Two numbers with <c>..</c> between them, of which one may be left out.</summary>
    private static bool IsRange(string text) => text.Split("..") is [string from, string to] && text.Length > 2
        && (from.Length == 0 || TryNumber(from) is not null) && (to.Length == 0 || TryNumber(to) is not null);
}
