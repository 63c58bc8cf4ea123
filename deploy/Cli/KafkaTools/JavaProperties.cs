using System.Globalization;
using System.Text;

namespace LogPipeline.Cli.KafkaTools;

/// <summary>Java's .properties files: comments after # or !, key and value apart by =, : or white space, \ for escapes and to go on in the next line.</summary>
internal static class JavaProperties
{
    /// <exception cref="KafkaToolException">There is no such file, or it cannot be read.</exception>
    public static Dictionary<string, string> ReadFile(string path)
    {
        try
        {
            return Read(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KafkaToolException($"{path}: {(e is FileNotFoundException or DirectoryNotFoundException ? "no such file" : e.Message)}", "java.io.IOException");
        }
    }

    /// <summary>The later one of two equal keys counts.</summary>
    public static Dictionary<string, string> Read(string text)
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in LogicalLines(text))
        {
            (string key, string value) = Split(line);
            if (key.Length > 0)
            {
                properties[key] = value;
            }
        }
        return properties;
    }

    /// <summary>Reads <c>key=value</c> as an option of a command gives it; without = the value is empty.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Pairs(string option, IReadOnlyList<string>? given)
    {
        foreach (string pair in given ?? [])
        {
            int sign = pair.IndexOf('=', StringComparison.Ordinal);
            if (sign == 0)
            {
                throw new KafkaToolException($"{option} {pair}: write it as key=value");
            }
            yield return sign < 0 ? KeyValuePair.Create(pair, "") : KeyValuePair.Create(pair[..sign], pair[(sign + 1)..]);
        }
    }

    private static IEnumerable<string> LogicalLines(string text)
    {
        var whole = new StringBuilder();
        foreach (string natural in text.ReplaceLineEndings("\n").Split('\n'))
        {
            string line = natural.TrimStart();
            if (whole.Length == 0 && (line.Length == 0 || line[0] is '#' or '!'))
            {
                continue;
            }
            int slashes = line.Length - line.TrimEnd('\\').Length;
            if (slashes % 2 == 1)
            {
                whole.Append(line, 0, line.Length - 1);
                continue;
            }
            yield return whole.Append(line).ToString();
            whole.Clear();
        }
        if (whole.Length > 0)
        {
            yield return whole.ToString();
        }
    }

    private static (string Key, string Value) Split(string line)
    {
        int end = 0;
        while (end < line.Length && line[end] is not ('=' or ':') && !char.IsWhiteSpace(line[end]))
        {
            end += line[end] == '\\' ? 2 : 1;
        }
        end = Math.Min(end, line.Length);
        string rest = line[end..].TrimStart();
        if (rest.StartsWith('=') || rest.StartsWith(':'))
        {
            rest = rest[1..].TrimStart();
        }
        return (Unescaped(line[..end]), Unescaped(rest).TrimEnd());
    }

    private static string Unescaped(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }
        var plain = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                plain.Append(text[i]);
                continue;
            }
            char c = text[++i];
            if (c == 'u' && i + 4 < text.Length && ushort.TryParse(text.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort code))
            {
                plain.Append((char)code);
                i += 4;
                continue;
            }
            plain.Append(c switch { 't' => '\t', 'n' => '\n', 'r' => '\r', 'f' => '\f', _ => c });
        }
        return plain.ToString();
    }
}
