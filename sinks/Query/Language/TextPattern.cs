using System.Text;
using System.Text.RegularExpressions;
using LogPipeline.Files;

namespace LogPipeline.Sinks.Query.Language;

/// <summary>One pattern in the forms of .NET and of the databases.</summary>
internal static class TextPattern
{
    /// <summary>A regular expression whose time grows with the text alone, so that none can run away.</summary>
    public static Regex Regex(string pattern, bool ignoreCase)
        => LinearRegex.Of(pattern, RegexOptions.Singleline | (ignoreCase ? RegexOptions.IgnoreCase : RegexOptions.None));

    /// <summary>PostgreSQL says <c>\y</c> where others say <c>\b</c>.</summary>
    public static string Postgres(string pattern)
    {
        var text = new StringBuilder(pattern);
        for (int i = 0; i + 1 < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
                text[i] = text[i] switch { 'b' => 'y', 'B' => 'Y', 'z' => 'Z', char other => other };
            }
        }
        return text.ToString();
    }

    /// <summary>A pattern with stars as one of SQL's LIKE, whose escape is the backslash.</summary>
    public static string Like(string pattern) => Convert(pattern, "%", c => c is '%' or '_' or '\\' ? $"\\{c}" : $"{c}");

    /// <summary>As one of SQLite's GLOB, which regards the case.</summary>
    public static string Glob(string pattern) => Convert(pattern, "*", c => c is '*' or '?' or '[' ? $"[{c}]" : $"{c}");

    /// <summary>As a regular expression of the whole text.</summary>
    public static string Whole(string pattern) => $"^{Convert(pattern, ".*", c => System.Text.RegularExpressions.Regex.Escape($"{c}"))}$";

    /// <summary>A text as a pattern with stars that means the text.</summary>
    public static string Literal(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal);

    private static string Convert(string pattern, string star, Func<char, string> literal)
    {
        var text = new StringBuilder();
        for (int i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == '\\' && i + 1 < pattern.Length && pattern[i + 1] is '*' or '\\')
            {
                text.Append(literal(pattern[++i]));
            }
            else
            {
                text.Append(pattern[i] == '*' ? star : literal(pattern[i]));
            }
        }
        return text.ToString();
    }
}
