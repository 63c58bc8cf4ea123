namespace LogPipeline.Hosting;

/// <summary>Characters that a terminal obeys: who writes a log line, or names a file, must not move the reader's cursor.</summary>
public static class ControlCharacters
{
    /// <summary>The text with pictures in their place: NUL is shown as U+2400, a tab as a blank.</summary>
    public static string Show(string text)
        => text.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0 && text.AsSpan().IndexOfAnyInRange('\x7f', '\x9f') < 0
            ? text
            : string.Create(text.Length, text, (to, from) =>
            {
                for (int i = 0; i < from.Length; i++)
                {
                    to[i] = from[i] switch { '\t' => ' ', < ' ' => (char)(0x2400 + from[i]), '\x7f' => '\u2421', >= '\x80' and <= '\x9f' => '\ufffd', var c => c };
                }
            });
}
