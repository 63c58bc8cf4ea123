using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.RegularExpressions;
using LogPipeline.Files;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Files;

/// <summary>
/// Which file below the directory a row goes to: <c>{topic}/{date}/{partition}</c> by default. Date and hour are the event's, UTC. The extension is
/// the format's and is added, behind <c>.v2</c> in later versions of the columns; a topic that is called so gets a tilde.
/// </summary>
internal sealed partial class FilePathTemplate
{
    public const string Default = "{topic}/{date}/{partition}";

    /// <summary>A file system takes names of 255 bytes: the rest is for what tells parts and files that were put aside from each other.</summary>
    private const int NameBytesMax = 220;

    private const long Hour = 3_600_000_000; // microseconds
    private static readonly string[] Names = ["topic", "partition", "date", "hour", "host"];

    private readonly string _template;
    private readonly string _extension;
    private readonly string _directory;

    /// <summary>Whether a topic's or host's name may end as a version does: <c>orders.v2</c> is a topic, and the second version of topic <c>orders</c>.</summary>
    private readonly bool _endsInName;

    /// <param name="template">As configured.</param>
    /// <param name="extension">Is added.</param>
    /// <param name="directory">A part of the sink's directory that all paths are in, with a slash; empty: the whole.</param>
    /// <exception cref="SinkConfigurationException">The template names what there is not, or leads out of the directory.</exception>
    public FilePathTemplate(string template, string extension, string directory = "")
    {
        foreach (Match match in Braces().Matches(template))
        {
            string name = match.Groups[1].Value;
            if (!Names.Contains(name))
            {
                string near = NearestName.Find(name, Names) is { } found ? $"did you mean {{{found}}}?" : $"there are {string.Join(", ", Names.Select(n => $"{{{n}}}"))}";
                throw new SinkConfigurationException($"files path {template}: there is no {{{name}}}; {near}");
            }
        }
        if (Braces().Replace(template, "").AsSpan().ContainsAny('{', '}'))
        {
            throw new SinkConfigurationException($"files path {template}: a brace has no other one; write names as {{topic}}");
        }
        if (template.Length == 0 || template.StartsWith('/') || template.EndsWith('/') || template.Split('/').Any(part => part is "" or "." or ".." || part[0] == '.'))
        {
            throw new SinkConfigurationException($"files path '{template}' must be a path below the directory, without parts that are empty or begin with a dot, such as {Default}");
        }
        (_template, _extension, _directory) = (template, extension, directory);
        _endsInName = template.EndsWith("{topic}", StringComparison.Ordinal) || template.EndsWith("{host}", StringComparison.Ordinal);
        UsesHost = template.Contains("{host}", StringComparison.Ordinal);
        UsesLog = template.Contains("{topic}", StringComparison.Ordinal) && template.Contains("{partition}", StringComparison.Ordinal);
        Width = template.Contains("{hour}", StringComparison.Ordinal) ? Hour : 24 * Hour;
    }

    /// <summary>Whether rows of different hosts go to different files.</summary>
    public bool UsesHost { get; }

    /// <summary>Whether rows of different logs go to different files.</summary>
    public bool UsesLog { get; }

    /// <summary>For so many microseconds, from a multiple of them on, the path is the same.</summary>
    public long Width { get; }

    /// <param name="log">Where the row comes from.</param>
    /// <param name="time">The event's, microseconds since 1970.</param>
    /// <param name="host">The server that the row comes from; empty where it is not known.</param>
    /// <param name="version">Of the file's columns; the first is not named.</param>
    public string PathOf(LogIdentity log, long time, string host, int version = 1)
    {
        DateTime at = DateTime.UnixEpoch.AddMicroseconds(Math.Max(time, 0));
        string path = Braces().Replace(_template, match => match.Groups[1].Value switch
        {
            "topic" => log.Topic,
            "partition" => log.Partition.ToString(CultureInfo.InvariantCulture),
            "date" => at.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            "hour" => at.ToString("HH", CultureInfo.InvariantCulture),
            _ => PartOf(host),
        });
        string named = _directory + string.Join('/', path.Split('/').Select(Shortened)) + (_endsInName && Version().IsMatch(path) ? "~" : "");
        return named + (version > 1 ? string.Create(CultureInfo.InvariantCulture, $".v{version}") : "") + _extension;
    }

    /// <summary>A name that no file system would take, made of a long topic or host, is cut: the sum of all of it tells it from others that begin alike.</summary>
    private static string Shortened(string name)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        if (bytes.Length <= NameBytesMax)
        {
            return name;
        }
        string sum = string.Create(CultureInfo.InvariantCulture, $"~{XxHash3.HashToUInt64(bytes):x16}");
        int length = NameBytesMax - sum.Length;
        while ((bytes[length] & 0xC0) == 0x80)
        {
            length--; // within a character
        }
        return Encoding.UTF8.GetString(bytes, 0, length) + sum;
    }

    /// <summary>A host's name as a part of a path: what would lead elsewhere or be hidden is replaced.</summary>
    private static string PartOf(string host)
    {
        var part = new StringBuilder(host.Length + 1);
        foreach (char c in host)
        {
            part.Append(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' || (c == '.' && part.Length > 0) ? c : '_');
        }
        return part.Length == 0 ? "unknown" : part.ToString();
    }

    [GeneratedRegex(@"\{([^{}]*)\}")]
    private static partial Regex Braces();

    [GeneratedRegex(@"\.v\d+$")]
    private static partial Regex Version();
}
