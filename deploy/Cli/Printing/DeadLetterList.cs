using System.Globalization;
using System.Text;
using LogPipeline.Hosting;
using LogPipeline.Sinks.DeadLetters;

namespace LogPipeline.Cli.Printing;

/// <summary>Dead letters as <c>logpipe deadletters list</c> shows them: a table where there is room for it, else each in lines of its own. Only a line of megabytes is cut.</summary>
internal static class DeadLetterList
{
    private const int BytesShown = 200;

    /// <param name="letters">At least one.</param>
    /// <param name="to">Where they are written.</param>
    /// <param name="screen">Columns of the terminal; null = none, as in a pipe.</param>
    public static void Write(IReadOnlyList<ListedLetter> letters, TextWriter to, int? screen)
    {
        var table = new TextTable("TIME", "TOPIC", "OFFSET", "FILE", "STATE", "REASON", "LINE");
        foreach (ListedLetter letter in letters)
        {
            table.Add(TimeOf(letter), TopicOf(letter), letter.Offset, FileOf(letter), StateOf(letter), letter.Reason, Beginning(letter));
        }
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        table.Print(text);
        if (screen is not int columns || Array.TrueForAll(text.ToString().Split('\n'), line => ScreenText.Width(line) <= columns))
        {
            to.Write(text);
            return;
        }
        foreach (ListedLetter letter in letters)
        {
            string[] where = [TimeOf(letter), TopicOf(letter), $"offset {letter.Offset}", FileOf(letter) ?? "", StateOf(letter)];
            to.WriteLine(ControlCharacters.Show(string.Join("  ", where.Where(static part => part.Length > 0))));
            to.WriteLine($"  {ControlCharacters.Show(letter.Reason)}");
            to.WriteLine($"  {ControlCharacters.Show(Beginning(letter))}");
        }
    }

    private static string TimeOf(ListedLetter letter) => letter.Time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    private static string TopicOf(ListedLetter letter) => $"{letter.Topic}-{letter.Partition}";

    private static string? FileOf(ListedLetter letter) => letter.File is null ? null : $"{letter.Host}:{letter.File}";

    private static string StateOf(ListedLetter letter) => letter.State.Length == 0 ? "unreadable" : letter.State;

    /// <summary>A line that was too large for its table may be of megabytes; the view has all of it.</summary>
    private static string Beginning(ListedLetter letter)
    {
        byte[] line = letter.Value;
        return !letter.MayBeRetried ? $"{line.Length} bytes, cannot be retried"
            : line.Length <= BytesShown ? Encoding.UTF8.GetString(line) : $"{Encoding.UTF8.GetString(line, 0, BytesShown).TrimEnd('\uFFFD')}… ({line.Length} bytes)";
    }
}
