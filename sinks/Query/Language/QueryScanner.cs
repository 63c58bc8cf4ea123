using System.Text;

namespace LogPipeline.Sinks.Query.Language;

/// <summary>Walks over a query's characters: words, quoted text, regular expressions, fields with their signs.</summary>
internal sealed class QueryScanner(string query)
{
    // The longer one first where one begins another.
    private static readonly string[] Signs = ["!=", ">=", "<=", "=~", "!~", ":", "=", ">", "<", "~"];

    private int _at;

    public int At => _at;

    public bool IsEnd => _at >= query.Length;

    public char Current => IsEnd ? '\0' : query[_at];

    public void SkipBlanks()
    {
        while (!IsEnd && char.IsWhiteSpace(Current))
        {
            _at++;
        }
    }

    public bool TryTake(char wanted)
    {
        if (Current != wanted)
        {
            return false;
        }
        _at++;
        return true;
    }

    /// <summary>Takes <c>and</c>, <c>or</c>, <c>not</c>, <c>to</c> where it stands as a word of its own, in any case.</summary>
    public bool TryTakeKeyword(string keyword)
    {
        if (!IsKeyword(keyword))
        {
            return false;
        }
        _at += keyword.Length;
        return true;
    }

    public bool IsKeyword(string keyword)
    {
        int end = _at + keyword.Length;
        return string.Compare(query, _at, keyword, 0, keyword.Length, StringComparison.OrdinalIgnoreCase) == 0
            && (end >= query.Length || char.IsWhiteSpace(query[end]) || query[end] is '(' or ')');
    }

    /// <summary>
    /// Takes a name and the sign behind it, as in <c>status>=</c>; blanks may stand before a sign other than a colon. Behind the dot of a name whose members
    /// are fields, quotes and more signs belong to it: <c>fields."user.id"</c>, <c>fields.@type</c>.
    /// </summary>
    /// <param name="hasMembers">Whether a name is such a one.</param>
    public bool TryTakeField(Func<string, bool> hasMembers, out string name, out string sign)
    {
        (name, sign) = ("", "");
        int end = EndOfName(_at);
        if (end < query.Length && query[end] == '.' && hasMembers(query[_at..end]))
        {
            end = EndOfPath(end);
        }
        else
        {
            while (end < query.Length && query[end] == '.')
            {
                end = EndOfName(end + 1);
            }
        }
        if (end == _at || char.IsAsciiDigit(query[_at]))
        {
            return false;
        }
        int signAt = end;
        while (signAt < query.Length && query[signAt] == ' ')
        {
            signAt++;
        }
        if (SignAt(signAt) is not { } found || (found == ":" && signAt > end))
        {
            return false;
        }
        name = query[_at..end];
        sign = found;
        _at = signAt + found.Length;
        return true;
    }

    public bool TryTakeSign(out string sign)
    {
        sign = SignAt(_at) is { } found && found != ":" ? found : "";
        _at += sign.Length;
        return sign.Length > 0;
    }

    /// <summary>Takes text in double quotes, in which a backslash takes the meaning of a quote or a backslash away.</summary>
    public string TakeQuoted()
    {
        int begin = _at++;
        var text = new StringBuilder();
        while (!IsEnd && Current != '"')
        {
            if (Current == '\\' && _at + 1 < query.Length && query[_at + 1] is '"' or '\\')
            {
                _at++;
            }
            text.Append(query[_at++]);
        }
        return TryTake('"') ? text.ToString() : throw Fault(begin, query.Length - begin, "the closing quote is missing");
    }

    /// <summary>
    /// Takes <c>/…/</c>, where a blank, a parenthesis or the end follows the second slash and none stands between: <c>/login</c> and <c>/api/v1/</c> are text.
    /// </summary>
    public bool TryTakePattern(out string pattern)
    {
        pattern = "";
        int end = _at + 1;
        while (end < query.Length && query[end] != '/')
        {
            end += query[end] == '\\' ? 2 : 1;
        }
        bool isPattern = Current == '/' && end > _at + 1 && end < query.Length && (end + 1 == query.Length || char.IsWhiteSpace(query[end + 1]) || query[end + 1] is '(' or ')');
        if (isPattern)
        {
            pattern = query[(_at + 1)..end].Replace("\\/", "/", StringComparison.Ordinal);
            _at = end + 1;
        }
        return isPattern;
    }

    /// <summary>Takes a word of free text: up to a blank, a quote or a parenthesis.</summary>
    public string TakeWord()
    {
        int begin = _at;
        while (!IsEnd && !char.IsWhiteSpace(Current) && Current is not ('"' or '(' or ')'))
        {
            _at++;
        }
        return query[begin.._at];
    }

    /// <summary>Takes a field's value: up to a blank, or a parenthesis that was opened before it.</summary>
    public string TakeValue(char end = ')')
    {
        int begin = _at;
        for (int depth = 0; !IsEnd && !char.IsWhiteSpace(Current) && (depth > 0 || Current != end); _at++)
        {
            depth += Current switch { '(' => 1, ')' => -1, _ => 0 };
        }
        return query[begin.._at];
    }

    public QuerySyntaxException Fault(int at, int length, string message) => new(query, at, length, message);

    private int EndOfName(int at)
    {
        while (at < query.Length && (char.IsAsciiLetterOrDigit(query[at]) || query[at] == '_'))
        {
            at++;
        }
        return at;
    }

    private int EndOfPath(int at)
    {
        for (bool isQuoted = false; at < query.Length && (isQuoted || char.IsLetterOrDigit(query[at]) || query[at] is '_' or '.' or '-' or '@' or '$' or '"'); at++)
        {
            isQuoted ^= query[at] == '"';
            at += isQuoted && query[at] == '\\' ? 1 : 0;
        }
        return Math.Min(at, query.Length);
    }

    private string? SignAt(int at) => Array.Find(Signs, sign => string.CompareOrdinal(query, at, sign, 0, sign.Length) == 0);
}
