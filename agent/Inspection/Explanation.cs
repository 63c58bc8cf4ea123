using System.Globalization;
using LogPipeline.Agent.Machine;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Status;
using LogPipeline.Agent.Tailing;
using LogPipeline.Contract.Reports;
using LogPipeline.Files;

namespace LogPipeline.Agent.Inspection;

/// <summary>
/// Why a path is read, or is not: which rules match or exclude it, what it is on the disk, what the agent knows of it. From the agent that
/// runs, else from its state directory, in which nothing is changed.
/// </summary>
public sealed class Explanation
{
    private static readonly string FinishedPhase = AgentReporter.WordOf(GenerationPhase.Finished);

    private readonly AgentOptions _options;
    private readonly IFileSystem _files;
    private readonly string _path;
    private readonly string _shown; // the path as reports have it
    private readonly PathRules _rules;
    private readonly PathLook _look;
    private readonly List<string> _lines = [];
    private (string Reason, string Advice)? _obstacle;
    private (string Reason, string Advice)? _refusal;

    private Explanation(AgentOptions options, IFileSystem files, string path, string? link)
    {
        (_options, _files, _path, _shown) = (options, files, path, PathText.Show(path));
        _rules = new PathRules(MachineFacts.Named(options));
        _look = PathLook.At(files, path, link);
    }

    /// <summary>What there is to say, for a screen.</summary>
    public IReadOnlyList<string> Lines => _lines;

    /// <summary>Whether the path is read; where no agent runs, whether one would read it.</summary>
    public bool IsRead => _obstacle is null;

    /// <param name="options">The configuration.</param>
    /// <param name="files">The disk.</param>
    /// <param name="path">An absolute path.</param>
    /// <param name="link">What the path's own link says, where it is one.</param>
    /// <param name="running">What the agent that runs knows of the path; null when none runs.</param>
    /// <exception cref="IOException">No agent runs, and its state cannot be read.</exception>
    public static Explanation Of(AgentOptions options, IFileSystem files, string path, string? link, AgentReport? running)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(files);
        var explanation = new Explanation(options, files, path, link);
        explanation._lines.Add(path);
        List<InputOptions> wanting = explanation.TellRules();
        explanation.TellFile();
        explanation.TellLives(wanting, running);
        explanation.TellVerdict(running is not null);
        return explanation;
    }

    private void Say(string what, string words) => _lines.Add($"  {what,-10}{words}");

    /// <summary>Which inputs want it, the first of each topic.</summary>
    private List<InputOptions> TellRules()
    {
        List<InputOptions> wanting = [];
        foreach (RuleVerdict verdict in _rules.Judge(_path))
        {
            InputOptions input = verdict.Input;
            string? topic = verdict.Pattern is null ? null : _rules.TopicOf(_path, input);
            string named = $"{At(input.Origin)}topic {(topic is null || topic == input.Topic ? input.Topic : $"{topic} by {input.Topic}")}";
            if (verdict.Pattern is null)
            {
                Say("no match", $"{named}: {input.Source?.Name ?? string.Join(", ", input.Paths)}");
            }
            else if (verdict.Exclusion is string exclusion)
            {
                Say("excluded", $"{named}: {verdict.Pattern} matches, and {At(input.ExcludeOrigin)}exclude: {exclusion}");
                _obstacle ??= ($"{At(input.ExcludeOrigin)}{exclusion} excludes it", "take that out of exclude");
            }
            else if (_rules.ProblemOf(topic!, input) is string problem)
            {
                Say("no topic", $"{At(input.Origin)}{verdict.Pattern} matches, and {problem}");
                _refusal ??= (problem, "give its input another topic, or exclude it");
            }
            else if (wanting.Exists(other => _rules.TopicOf(_path, other) == topic))
            {
                Say("match", $"{named}: {verdict.Pattern} matches too; the topic's first input has it");
            }
            else
            {
                Say("match", $"{named}: {verdict.Pattern}");
                wanting.Add(input);
            }
        }
        if (wanting.Count > 0)
        {
            (_obstacle, _refusal) = (null, null);
        }
        string? own = _rules.OwnOf(_path);
        if (own is not null)
        {
            wanting.RemoveAll(static input => input.Source is null); // a spool is for its own input
        }
        if (own is not null && wanting.Count == 0)
        {
            _obstacle = ($"{own} is what the product itself writes to: a line about a line would be a line again", "move it to another place");
        }
        else if (wanting.Count == 0 && _refusal is null)
        {
            bool isHidden = _path.Contains("/.", StringComparison.Ordinal);
            _obstacle ??= ("no input names it", isHidden
                ? "name it in paths; a name that begins with a dot is matched only by one that does" : "name it in the paths of an input");
        }
        return wanting;
    }

    private void TellFile()
    {
        if (_look.Status is FileStatus status)
        {
            string size = status.Kind == FileKind.Regular ? $"{status.Length.ToString(CultureInfo.InvariantCulture)} bytes, " : "";
            Say("file", $"{status.Kind.ToString().ToLowerInvariant()}, {size}changed {Times.OfNanoseconds(status.ModifiedTime)}"
                + (_look.RealPath is null ? "" : $", at {_look.RealPath}"));
            Say("identity", $"file system {status.FileSystem}, inode {status.Inode}, made {Times.OfNanoseconds(status.BirthTime)}");
        }
        _obstacle ??= _look.Obstacle;
    }

    private void TellLives(List<InputOptions> wanting, AgentReport? running)
    {
        IReadOnlyList<FileReport> known = running?.Files ?? FromState();
        foreach (FileReport file in known)
        {
            Tell(file);
        }
        if (!known.Any(file => file.Generation.Length > 0 && IsThis(file)))
        {
            _obstacle ??= _refusal; // a file that is followed keeps the topic of its first path
        }
        if (known.FirstOrDefault(IsThis) is not FileReport now)
        {
            if (_obstacle is null && running is not null)
            {
                _obstacle = known.FirstOrDefault(file => AgentReporter.IsRefusedAbove(file, _shown)) is FileReport above
                    ? ($"the agent cannot look for it in {above.Path}: {above.Reason}", "let the agent's user list that directory, or name the file without wildcards")
                    : ("the agent has not found it yet", "it is found at the next look, within seconds");
            }
            return;
        }
        if (wanting.Count > 0 && now.State is FileStates.Waiting or FileStates.Unreadable && running is not null)
        {
            _obstacle ??= (now.Reason ?? "it waits", "it is tried again all the time");
        }
        if (wanting.Count > 0 && now.Path != _shown && now.Path.Length > 0 && now.State != FileStates.Over)
        {
            Say("name", $"the agent reads it under the name {now.Path}");
        }
    }

    private bool IsThis(FileReport file) => (file.State != FileStates.Over || file.Phase == FinishedPhase)
        && (_look.Status is not FileStatus status ? file.Path == _shown
            : file.Generation.Length == 0 ? file.Path == _shown : file.Inode == status.Inode && file.FileSystem == status.FileSystem);

    private List<FileReport> FromState() =>
    [
        .. StateView.Load(_files, _options.StateDirectory).Generations.All
            .Where(generation => generation.Path == _path || generation.FirstPath == _path || generation.Identity == _look.Identity)
            .Select(generation => StateView.Of(generation, _files)),
    ];

    private void Tell(FileReport file)
    {
        if (file.Generation.Length == 0)
        {
            return;
        }
        string where = file.Partition < 0 ? $"topic {file.Topic}" : $"{file.Topic}-{file.Partition}";
        string also = file.FirstPath == _shown ? file.Path == _shown ? "" : $", now {file.Path}" : $", first seen as {file.FirstPath}";
        Say("life", $"generation {file.Generation} to {where}: {file.Phase} since {Times.OfMilliseconds(file.PhaseSince)}{also}");
        if (file.State == FileStates.Over)
        {
            Say("", $"acked to byte {file.Acked}");
            return;
        }
        Say("", string.Create(CultureInfo.InvariantCulture, $"acked to byte {file.Acked}, read to {file.Read}, of {file.Size}: {ByteCount.Show(file.LagBytes)} behind")
            + (file.LagSeconds > 0 ? $" for {ShortTime.Show(TimeSpan.FromSeconds(file.LagSeconds))}" : "") + $", {file.State}");
        if (file.Reason is not null)
        {
            Say("", file.Reason);
        }
    }

    private void TellVerdict(bool isRunning)
    {
        if (_obstacle is (string reason, string advice))
        {
            _lines.Add($"not read: {reason}");
            _lines.Add($"  to change that: {advice}");
        }
        else
        {
            _lines.Add(isRunning ? "read" : "read when the agent runs; none answers now, and this is what its state directory says");
        }
    }

    private static string At(string origin) => origin.Length == 0 ? "" : $"{origin} ";
}
