using System.Buffers;

namespace LogPipeline.Hosting;

/// <summary>
/// Characters that a terminal obeys, or shows nothing of: who writes a log line, or names a file, must neither move the reader's cursor nor turn round what
/// stands beside it. The joiners U+200C and U+200D stay: Persian, Hindi and many emoji are written with them.
/// </summary>
public static class ControlCharacters
{
    /// <summary>Those that order text from right to left, break lines, or have no width.</summary>
    private const string Formatting = "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\ufeff\ufff9\ufffa\ufffb";

    private static readonly SearchValues<char> Obeyed = SearchValues.Create(
        string.Concat(Enumerable.Range(0, 0xa0).Where(static c => char.IsControl((char)c)).Select(static c => (char)c)) + Formatting);

    /// <summary>The text with pictures in their place: NUL is shown as U+2400, a tab as a blank, what has no picture as U+FFFD.</summary>
    public static string Show(string text)
        => text.AsSpan().IndexOfAny(Obeyed) < 0
            ? text
            : string.Create(text.Length, text, static (to, from) =>
            {
                for (int i = 0; i < from.Length; i++)
                {
                    to[i] = from[i] switch { '\t' => ' ', < ' ' => (char)(0x2400 + from[i]), '\x7f' => '\u2421', var c => Obeyed.Contains(c) ? '\ufffd' : c };
                }
            });
}
