using System.Buffers;
using System.Text;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// A topic's name with placeholders for parts of a file's path, such as <c>web_{dir}</c>:
/// <code>
///   {host}       the agent's host name, as in the header host
///   {name}       the file's name up to its first dot; a dot that it begins with does not count
///   {dir}        the name of the file's directory
///   {1} … {9}    what a group of wildcards of the path's pattern matched (see GlobGroups)
/// </code>
/// What a placeholder gives and a topic's name may not hold becomes <c>_</c>.
/// </summary>
internal sealed class TopicTemplate
{
    /// <summary>The longest name that a topic may have in Kafka.</summary>
    public const int NameMax = 249;

    private const string There = "there are {host}, {name}, {dir} and {1} to {9}";

    private static readonly string[] Names = ["host", "name", "dir"];
    private static readonly SearchValues<char> Legal = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    private readonly List<(string Text, bool IsPlaceholder)> _parts = [];

    /// <exception cref="ArgumentException">It has a placeholder that there is not, or a character that no topic may have.</exception>
    public TopicTemplate(string text)
    {
        for (int at = 0; at < text.Length;)
        {
            int open = text.IndexOf('{', at);
            string literal = text[at..(open < 0 ? text.Length : open)];
            if (literal.AsSpan().IndexOfAnyExcept(Legal) is >= 0 and int wrong)
            {
                throw new ArgumentException($"'{text}': a topic's name cannot have '{literal[wrong]}'");
            }
            _parts.Add((literal, false));
            if (open < 0)
            {
                break;
            }
            int close = text.IndexOf('}', open);
            _parts.Add((close < 0 ? throw new ArgumentException($"'{text}': a '{{' has no '}}' behind it") : Placeholder(text[(open + 1)..close], text), true));
            at = close + 1;
        }
    }

    /// <summary>Holds an input's topic, where it is a template, against the paths that the input has.</summary>
    /// <exception cref="ArgumentException">It cannot be filled for each of them; the message says what is wrong, not where.</exception>
    public static void Check(InputOptions input)
    {
        if (!IsTemplate(input.Topic))
        {
            return;
        }
        var template = new TopicTemplate(input.Topic);
        if (input.Source is not null)
        {
            bool isFilled = !template._parts.Exists(static part => part.IsPlaceholder && part.Text != "host");
            Require(isFilled, $"'{input.Topic}': {input.Source.Name} has no path, so {{host}} alone can stand there");
            return;
        }
        int groupMax = template._parts.Where(static part => part.IsPlaceholder && IsGroup(part.Text)).Select(static part => part.Text[0] - '0').DefaultIfEmpty().Max();
        foreach (string path in input.Paths)
        {
            int groups = GlobGroups.CountIn(path);
            Require(groupMax <= groups, $"'{input.Topic}': {{{groupMax}}} is no group of wildcards in '{path}', which has {groups}");
        }
    }

    /// <summary>Whether a topic is given by placeholders; else it is a name.</summary>
    public static bool IsTemplate(string topic) => topic.Contains('{', StringComparison.Ordinal);

    /// <summary>The topic of a file. It may be no name that a topic can have: <see cref="ProblemOf"/> says so.</summary>
    /// <param name="host">The agent's host name.</param>
    /// <param name="path">The path by which the file was first seen.</param>
    /// <param name="groups">What the groups of the path's pattern matched.</param>
    public string Fill(string host, string path, IReadOnlyList<string> groups)
    {
        var topic = new StringBuilder();
        foreach ((string text, bool isPlaceholder) in _parts)
        {
            topic.Append(!isPlaceholder ? text : Clean(text switch
            {
                "host" => host,
                "name" => NameOf(path),
                "dir" => Path.GetFileName(FileProbe.DirectoryOf(path)),
                _ => groups[text[0] - '1'],
            }));
        }
        return topic.ToString();
    }

    /// <summary>Why a topic cannot have a name that a template made; null when it can.</summary>
    public static string? ProblemOf(string topic) => topic switch
    {
        "" => "would be empty",
        "." or ".." => $"would be '{topic}', which no topic may be called",
        { Length: > NameMax } => $"would have {topic.Length} characters, and a topic's name has {NameMax} at most",
        _ when topic.StartsWith("__", StringComparison.Ordinal) => $"would be '{topic}', and names that begin with __ are the cluster's own",
        _ => null,
    };

    private static bool IsGroup(string placeholder) => placeholder is [>= '1' and <= '9'];

    private static string Placeholder(string name, string text)
    {
        if (IsGroup(name) || Names.Contains(name))
        {
            return name;
        }
        string advice = NearestName.Find(name, Names) is { } near ? $"did you mean {{{near}}}?" : There;
        throw new ArgumentException($"'{text}': there is no placeholder {{{name}}}; {advice}");
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new ArgumentException(otherwise);
        }
    }

    private static string NameOf(string path)
    {
        string name = Path.GetFileName(path);
        int dot = name.IndexOf('.', Math.Min(1, name.Length));
        return dot < 0 ? name : name[..dot];
    }

    private static string Clean(string text) =>
        text.AsSpan().IndexOfAnyExcept(Legal) < 0 ? text : string.Concat(text.Select(static c => Legal.Contains(c) ? c : '_'));
}
