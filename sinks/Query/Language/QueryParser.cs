using System.Text.RegularExpressions;

namespace LogPipeline.Sinks.Query.Language;

/// <summary>
/// Reads a query. Conditions side by side all have to hold; <c>and</c> binds closer than <c>or</c>:
/// <code>
/// query     = all { "or" all }                  all   = one { ["and"] one }
/// one       = ["not"] ( "(" query ")" | field | "text in quotes" | /regular expression/ | word )
/// field     = path ( ":" ( value | "(" values ")" | "[" value "to" value "]" | from ".." to | "*" | sign value ) | sign value )
/// path      = name { "." ( name | digits | "name in quotes" ) }, where the first is a column of JSON if others follow
/// sign      = "=" | "!=" | "&lt;" | "&lt;=" | ">" | ">=" | "~" (contains) | "!~" | "=~" (regular expression)
/// </code>
/// </summary>
public sealed class QueryParser
{
    private const int DepthMax = 100;

    private readonly QueryFields _fields;
    private readonly QueryScanner _scanner;
    private readonly bool _ignoreCase;
    private readonly FieldValues _values;
    private int _depth;

    private QueryParser(string query, QueryFields fields, DateTimeOffset? now, bool ignoreCase)
    {
        (_fields, _ignoreCase, _scanner) = (fields, ignoreCase, new QueryScanner(query));
        _values = new FieldValues(_scanner, now, ignoreCase);
    }

    /// <returns>The condition; null when the query is empty, which all rows fulfil.</returns>
    /// <param name="query">The query.</param>
    /// <param name="fields">The fields that it may name.</param>
    /// <param name="now">What relative times are relative to; null where they are no times, as the query is asked again and again.</param>
    /// <param name="ignoreCase">Whether texts are compared without regard to case.</param>
    /// <exception cref="QuerySyntaxException">The text is no query.</exception>
    public static QueryNode? Parse(string query, QueryFields fields, DateTimeOffset? now, bool ignoreCase = false)
    {
        var parser = new QueryParser(query, fields, now, ignoreCase);
        parser._scanner.SkipBlanks();
        if (parser._scanner.IsEnd)
        {
            return null;
        }
        QueryNode node = parser.Any(parser.One);
        return parser._scanner.IsEnd ? node : throw parser._scanner.Fault(parser._scanner.At, 1, "this parenthesis closes none");
    }

    /// <summary>Texts that a line contains, whatever signs stand in them.</summary>
    public static QueryNode Text(string text, QueryFields fields, bool ignoreCase) => new TextTest(fields.Line, TextTestKind.Contains, text, ignoreCase);

    private QueryNode Any(Func<QueryNode> one)
    {
        if (++_depth > DepthMax)
        {
            throw _scanner.Fault(_scanner.At, 1, $"parentheses are nested more than {DepthMax} deep");
        }
        var nodes = new List<QueryNode> { All(one) };
        while (_scanner.TryTakeKeyword("or"))
        {
            nodes.Add(All(one));
        }
        _depth--;
        return nodes.Count == 1 ? nodes[0] : new AnyOf(nodes);
    }

    private QueryNode All(Func<QueryNode> one)
    {
        var nodes = new List<QueryNode>();
        do
        {
            bool isOpposite = false;
            _scanner.SkipBlanks();
            while (_scanner.TryTakeKeyword("not"))
            {
                isOpposite = !isOpposite;
                _scanner.SkipBlanks();
            }
            if (_scanner.IsEnd || _scanner.Current == ')' || IsOperator())
            {
                throw _scanner.Fault(_scanner.At, 1, "a condition is missing here; to look for the words and, or and not put them in double quotes");
            }
            QueryNode node = one();
            nodes.Add(isOpposite ? new Opposite(node) : node);
            _scanner.SkipBlanks();
        }
        while (_scanner.TryTakeKeyword("and") || !(_scanner.IsEnd || _scanner.Current == ')' || _scanner.IsKeyword("or")));
        return nodes.Count == 1 ? nodes[0] : new AllOf(nodes);
    }

    private bool IsOperator() => _scanner.IsKeyword("and") || _scanner.IsKeyword("or");

    private QueryNode One()
    {
        int begin = _scanner.At;
        if (_scanner.Current == '(')
        {
            return Group(One);
        }
        if (_scanner.Current == '"')
        {
            return Text(_scanner.TakeQuoted(), _fields, _ignoreCase);
        }
        if (_scanner.TryTakePattern(out string pattern))
        {
            return new TextTest(_fields.Line, TextTestKind.Matches, Checked(pattern, begin + 1), _ignoreCase);
        }
        if (_scanner.TryTakeField(root => _fields.Find(root)?.Kind == FieldKind.Json, out string name, out string sign))
        {
            QueryField field = _fields.Find(name)
                ?? throw _scanner.Fault(begin, name.Length, $"there is no field {name}; {_fields.Advice(name)} (To look for the text, put it in double quotes.)");
            return Field(field, sign);
        }
        string word = _scanner.TakeWord();
        return word.Contains('*', StringComparison.Ordinal)
            ? new TextTest(_fields.Line, TextTestKind.Like, $"*{word}*", _ignoreCase) : Text(word, _fields, _ignoreCase);
    }

    private QueryNode Group(Func<QueryNode> one)
    {
        int begin = _scanner.At;
        _scanner.TryTake('(');
        QueryNode node = Any(one);
        return _scanner.TryTake(')') ? node : throw _scanner.Fault(begin, 1, "the closing parenthesis is missing");
    }

    private QueryNode Field(QueryField field, string sign)
    {
        if (sign == ":")
        {
            return _scanner.Current == '(' ? Group(() => Value(field)) : Value(field);
        }
        _scanner.SkipBlanks();
        return Signed(field, sign);
    }

    /// <summary>What stands behind a colon.</summary>
    private QueryNode Value(QueryField field)
    {
        if (_scanner.TryTakeSign(out string sign))
        {
            _scanner.SkipBlanks();
            return Signed(field, sign);
        }
        return _scanner.Current == '[' && field.Kind is FieldKind.Number or FieldKind.Time or FieldKind.Member ? _values.Bracketed(field) : _values.Equal(field);
    }

    private QueryNode Signed(QueryField field, string sign)
    {
        int begin = _scanner.At;
        switch (sign)
        {
            case "=": return _values.Equal(field);
            case "!=": return new Opposite(_values.Equal(field));
            case "~" or "!~" or "=~" when field.Kind is FieldKind.Time or FieldKind.Truth:
                throw _scanner.Fault(begin - sign.Length, sign.Length, $"{field.Name} is no text: it can be compared, not searched");
            case "~": return new TextTest(field, TextTestKind.Contains, _values.Text(), _ignoreCase);
            case "!~": return new Opposite(new TextTest(field, TextTestKind.Contains, _values.Text(), _ignoreCase));
            case "=~":
                string pattern = _scanner.TryTakePattern(out string slashed) ? slashed : _values.Text();
                return new TextTest(field, TextTestKind.Matches, Checked(pattern, begin), _ignoreCase);
            default: return _values.Compared(field, sign);
        }
    }

    private string Checked(string pattern, int at)
    {
        try
        {
            TextPattern.Regex(pattern, ignoreCase: false);
            return pattern;
        }
        catch (RegexParseException e)
        {
            // .NET's message begins with the pattern and the offset, which the caret shows.
            string reason = e.Message[(e.Message.LastIndexOf($"offset {e.Offset}. ", StringComparison.Ordinal) + $"offset {e.Offset}. ".Length)..];
            throw _scanner.Fault(at, pattern.Length, $"the regular expression cannot be used: {reason}");
        }
        catch (NotSupportedException)
        {
            throw _scanner.Fault(at, pattern.Length, "the regular expression cannot be used: looking ahead or behind, and references to groups, could run away");
        }
    }
}
