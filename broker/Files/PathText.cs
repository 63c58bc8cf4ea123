using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace LogPipeline.Files;

/// <summary>
/// Paths as strings. Linux takes any bytes for a name; those that are not UTF-8 become lone surrogates, U+DC80 for the byte 0x80 to U+DCFF for
/// 0xFF (as in PEP 383), so that a path keeps its bytes on its way to the agent's tables and back to the kernel.
/// </summary>
public static class PathText
{
    private const char FirstEscape = '\udc80';
    private const char LastEscape = '\udcff';
    private const int EscapedLength = 4; // \xE9

    public static string Decode(ReadOnlySpan<byte> path)
    {
        if (Utf8.IsValid(path))
        {
            return Encoding.UTF8.GetString(path);
        }
        var text = new StringBuilder(path.Length);
        while (!path.IsEmpty)
        {
            bool isText = Rune.DecodeFromUtf8(path, out Rune rune, out int length) == OperationStatus.Done;
            _ = isText ? text.Append(rune) : text.Append((char)(FirstEscape - 0x80 + path[0]));
            path = path[(isText ? length : 1)..];
        }
        return text.ToString();
    }

    /// <summary>The number of bytes that <see cref="Encode"/> writes.</summary>
    public static int Length(string path)
    {
        int escapes = Escapes(path);
        // A lone surrogate counts as the three bytes of U+FFFD, and is one.
        return Encoding.UTF8.GetByteCount(path) - (2 * escapes);
    }

    /// <summary>Writes the bytes of a path and returns their number.</summary>
    /// <param name="path">From <see cref="Decode"/>, or any text.</param>
    /// <param name="to">Has <see cref="Length"/> bytes or more.</param>
    public static int Encode(ReadOnlySpan<char> path, Span<byte> to)
    {
        int written = 0;
        while (true)
        {
            int escape = FirstEscapeOf(path);
            written += Encoding.UTF8.GetBytes(escape < 0 ? path : path[..escape], to[written..]);
            if (escape < 0)
            {
                return written;
            }
            to[written++] = (byte)(path[escape] - FirstEscape + 0x80);
            path = path[(escape + 1)..];
        }
    }

    /// <summary>True when a name holds bytes that are not UTF-8: the class library cannot open it.</summary>
    public static bool HasEscapes(string path) => FirstEscapeOf(path) >= 0;

    /// <summary>For people and for databases: bytes that are not UTF-8 as <c>\xE9</c>.</summary>
    public static string Show(string path)
    {
        if (!HasEscapes(path))
        {
            return path;
        }
        var text = new StringBuilder(path.Length + 16);
        for (int i = 0; i < path.Length; i++)
        {
            _ = IsEscape(path, i) ? text.Append(null, $"\\x{path[i] - FirstEscape + 0x80:X2}") : text.Append(path[i]);
        }
        return text.ToString();
    }

    /// <summary>Takes back what <see cref="Show"/> wrote.</summary>
    public static string Parse(string shown)
    {
        if (!shown.Contains("\\x", StringComparison.Ordinal))
        {
            return shown;
        }
        var text = new StringBuilder(shown.Length);
        for (int i = 0; i < shown.Length; i++)
        {
            if (i + EscapedLength <= shown.Length && shown.AsSpan(i, 2) is "\\x" && char.IsAsciiHexDigit(shown[i + 2]) && char.IsAsciiHexDigit(shown[i + 3])
                && Convert.ToByte(shown.Substring(i + 2, 2), 16) is >= 0x80 and byte value)
            {
                text.Append((char)(FirstEscape - 0x80 + value));
                i += EscapedLength - 1;
                continue;
            }
            text.Append(shown[i]);
        }
        return text.ToString();
    }

    private static int Escapes(ReadOnlySpan<char> path)
    {
        int count = 0;
        for (; FirstEscapeOf(path) is >= 0 and int at; count++)
        {
            path = path[(at + 1)..];
        }
        return count;
    }

    private static int FirstEscapeOf(ReadOnlySpan<char> path)
    {
        for (int from = 0; path[from..].IndexOfAnyInRange(FirstEscape, LastEscape) is >= 0 and int found; from += found + 1)
        {
            if (IsEscape(path, from + found))
            {
                return from + found;
            }
        }
        return -1;
    }

    /// <summary>A low surrogate behind a high one is half of a character.</summary>
    private static bool IsEscape(ReadOnlySpan<char> path, int at) =>
        path[at] is >= FirstEscape and <= LastEscape && (at == 0 || !char.IsHighSurrogate(path[at - 1]));
}
