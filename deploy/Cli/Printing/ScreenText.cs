namespace LogPipeline.Cli.Printing;

/// <summary>Makes a log line harmless for a terminal: a line's writer must not be able to move the reader's cursor.</summary>
internal static class ScreenText
{
    /// <summary>Control characters become their pictures: NUL is shown as U+2400.</summary>
    public static string Clean(string text)
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
