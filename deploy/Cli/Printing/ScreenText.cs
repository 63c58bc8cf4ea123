using System.Globalization;
using System.Text;

namespace LogPipeline.Cli.Printing;

/// <summary>Text as a terminal shows it.</summary>
internal static class ScreenText
{
    // Blocks of Unicode whose characters take two columns (East Asian Width W and F, as far as a log is likely to have them).
    private static readonly (int First, int Last)[] Wide =
    [
        (0x1100, 0x115F), (0x2E80, 0x303E), (0x3041, 0x33FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4CF), (0xAC00, 0xD7A3),
        (0xF900, 0xFAFF), (0xFE30, 0xFE6F), (0xFF00, 0xFF60), (0xFFE0, 0xFFE6), (0x1F300, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F900, 0x1F9FF), (0x20000, 0x3FFFD),
    ];

    /// <summary>Columns of the terminal that standard output goes to, at least 40; null where it goes to a file or a pipe.</summary>
    public static int? Columns => Console.IsOutputRedirected ? null : Math.Max(Console.WindowWidth, 40);

    /// <summary>How many columns of the terminal a text takes.</summary>
    public static int Width(string text)
    {
        if (Ascii.IsValid(text))
        {
            return text.Length;
        }
        int width = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            width += Width(rune);
        }
        return width;
    }

    /// <summary>The text in exactly so many columns: filled up with blanks, or cut, with an ellipsis as the last character.</summary>
    public static string Fit(string text, int columns, bool right = false)
    {
        int width = Width(text);
        if (width <= columns)
        {
            string blanks = new(' ', columns - width);
            return right ? blanks + text : text + blanks;
        }
        var cut = new StringBuilder();
        int used = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (used + Width(rune) > columns - 1)
            {
                break;
            }
            used += Width(rune);
            cut.Append(rune);
        }
        return cut.Append('…').Append(' ', columns - 1 - used).ToString();
    }

    private static int Width(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format => 0,
        _ => Array.Exists(Wide, block => rune.Value >= block.First && rune.Value <= block.Last) ? 2 : 1,
    };
}
