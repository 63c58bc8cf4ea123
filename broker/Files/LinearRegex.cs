using System.Text.RegularExpressions;

namespace LogPipeline.Files;

/// <summary>Regular expressions that people write: time grows with the text alone, so that none can run away, and memory with neither.</summary>
public static class LinearRegex
{
    /// <summary>
    /// Matches the empty text at any place, so it changes no match. The engine (.NET 10) gives each character of a repetition such as <c>\S+</c> a state of its own while it looks for
    /// a match's end, and keeps it, more than a kilobyte each: a match of 1 MB took 2 GB. It does not where the expression has an anchor.
    /// </summary>
    private const string Anchor = "(?:$|)";

    /// <summary>Makes the expression; it has no look-around, back-references and atomic groups.</summary>
    /// <exception cref="RegexParseException">It is no expression; the message says why.</exception>
    /// <exception cref="NotSupportedException">It asks for what would take more time, or for too many states.</exception>
    public static Regex Of(string expression, RegexOptions options = RegexOptions.None)
    {
        options |= RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;
        _ = new Regex(expression, options); // as it was written: a message is to be about that
        return new Regex(expression + Anchor, options);
    }
}
