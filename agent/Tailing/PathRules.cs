using LogPipeline.Agent.State;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Which paths the configuration wants: each once a topic, for the first input that names it. An input's topic may be a template: then the input
/// gives each file its own topic, by the path at which the file's generation begins. Two inputs may give a file the same topic in different
/// words: the first has it.
/// </summary>
internal sealed class PathRules
{
    private readonly List<Rule> _rules;
    private readonly List<string> _own;
    private readonly AgentOptions _options;

    public PathRules(AgentOptions options)
    {
        _options = options;
        _rules = [.. options.Inputs.Select(static input => new Rule(input))];
        HasTemplates = _rules.Exists(static rule => rule.Template is not null);
        Topics = [.. options.Inputs.Select(static input => input.Topic).Distinct()];
        _own = [.. options.OwnPaths.Append(options.StateDirectory).Where(static path => path.Length > 0).Select(Path.GetFullPath)];
    }

    /// <summary>Whether the product itself writes there: a line about a line would be a line again, without end.</summary>
    public bool IsOwn(string path) =>
        _own.Exists(own => path.StartsWith(own, StringComparison.Ordinal) && (path.Length == own.Length || path[own.Length] is '/' or '-'));

    /// <summary>The spool of a source is for its own input alone.</summary>
    private bool IsForbidden(Rule rule, string path) => rule.Input.Source is null && IsOwn(path);

    /// <summary>The product's own file or directory that a path is, or lies in; null when it lies in none.</summary>
    public string? OwnOf(string path) => IsOwn(path) ? _own.Find(own => path.StartsWith(own, StringComparison.Ordinal)) : null;

    /// <summary>What each input says of a path, inputs in their order.</summary>
    public IEnumerable<RuleVerdict> Judge(string path) => _rules.Select(rule => new RuleVerdict(
        rule.Input, rule.Patterns.Find(pattern => pattern.Glob.IsMatch(path)).Path, rule.ExclusionOf(path)));

    /// <summary>The first input that wants a path among those whose topic is written so; null when none does.</summary>
    public InputOptions? InputOf(string path, string topic) => _rules.Find(rule => rule.Input.Topic == topic && rule.Wants(path) && !IsForbidden(rule, path))?.Input;

    /// <summary>The first input that gives the generation's topic to the path at which it began; null when none wants it.</summary>
    public InputOptions? InputOf(Generation generation) =>
        _rules.Find(rule => Gives(rule, generation) && rule.Wants(generation.FirstPath) && !IsForbidden(rule, generation.FirstPath))?.Input;

    /// <summary>Whether an input gives the generation's topic to the path at which it began, and so has its file under whatever name.</summary>
    public bool Gives(InputOptions input, Generation generation) => Gives(RuleOf(input), generation);

    private bool Gives(Rule rule, Generation generation) =>
        rule.Template is null ? rule.Input.Topic == generation.Topic : TopicOf(rule, generation.FirstPath) == generation.Topic;

    /// <summary>The templates of all inputs that give the generation's topic to the path at which it began, and that of the input which has it.</summary>
    public IReadOnlyList<string> TemplatesOf(Generation generation, InputOptions input) => !HasTemplates ? []
        : [.. _rules.Where(rule => rule.Input.Topic != generation.Topic && (rule.Input == input || Gives(rule, generation))).Select(static rule => rule.Input.Topic).Distinct()];

    /// <summary>
    /// The topic that an input gives a file which it finds at a path. It may be no name that a topic can have (<see cref="ProblemOf"/>); null where
    /// none of the input's patterns matches the path and its topic is a template.
    /// </summary>
    public string? TopicOf(string path, InputOptions input) => TopicOf(RuleOf(input), path);

    private string? TopicOf(Rule rule, string path)
    {
        if (rule.Template is not TopicTemplate template)
        {
            return rule.Input.Topic;
        }
        int at = rule.Patterns.FindIndex(pattern => pattern.Glob.IsMatch(path));
        return at < 0 ? null : template.Fill(_options.Host, path, rule.Groups[at].Of(path));
    }

    /// <summary>Why a file cannot have the topic that an input's template gives it; null when it can.</summary>
    public string? ProblemOf(string topic, InputOptions input)
    {
        string? problem = !TopicTemplate.IsTemplate(input.Topic) ? null
            : topic == _options.StatusTopic ? $"would be '{topic}', which is agent.status_topic" : TopicTemplate.ProblemOf(topic);
        return problem is null ? null : $"its topic by '{input.Topic}' {problem}";
    }

    private Rule RuleOf(InputOptions input) => _rules.Find(rule => rule.Input == input)!;

    /// <summary>All that is there now, inputs in their order, paths in theirs.</summary>
    /// <param name="probe">The disk.</param>
    /// <param name="directories">Where the directories are added that were looked into.</param>
    /// <param name="unmatched">Where the patterns are added that name nothing.</param>
    public List<(string Path, InputOptions Input)> Find(FileProbe probe, ISet<string> directories, ISet<string>? unmatched = null)
    {
        List<(string Path, InputOptions Input)> found = [];
        HashSet<(string Path, string Topic)> taken = [];
        foreach (Rule rule in _rules)
        {
            SortedSet<string> matches = new(StringComparer.Ordinal);
            foreach (IGrouping<string, (string Path, string Key, GlobPattern Glob)> pattern in rule.Patterns.GroupBy(static pattern => pattern.Path))
            {
                var walk = new GlobWalk(probe, matches, directories);
                foreach ((_, _, GlobPattern glob) in pattern)
                {
                    walk.Collect(glob);
                }
                if (!walk.HasFound && rule.Input.Source is null)
                {
                    unmatched?.Add(pattern.Key);
                }
            }
            foreach (string path in matches)
            {
                if (!rule.IsExcluded(path) && !IsForbidden(rule, path) && taken.Add((path, rule.Input.Topic)))
                {
                    found.Add((path, rule.Input));
                }
            }
        }
        return found;
    }

    /// <summary>The patterns of an input that match a path, as the registry remembers them.</summary>
    public IEnumerable<string> KeysOf(string path, InputOptions input) =>
        RuleOf(input).Patterns.Where(pattern => pattern.Glob.IsMatch(path)).Select(static pattern => pattern.Key);

    /// <summary>The topics as the inputs have them, templates as they are written.</summary>
    public IReadOnlyList<string> Topics { get; }

    /// <summary>Whether a topic is given by the paths of files, so that its name alone does not tell whether an input has it.</summary>
    public bool HasTemplates { get; }

    /// <summary>What the registry remembers each pattern by.</summary>
    public IEnumerable<string> Keys => _rules.SelectMany(static rule => rule.Patterns.Select(static pattern => pattern.Key));

    /// <summary>What the registry remembers a pattern by: its topic and itself.</summary>
    public static string KeyOf(string topic, string pattern) => $"{topic} {pattern}";

    /// <summary>One input, its patterns parsed.</summary>
    private sealed class Rule(InputOptions input)
    {
        private readonly List<(string Text, GlobPattern Glob)> _exclude =
            [.. input.Exclude.SelectMany(static e => GlobPattern.Parse(e.Contains('/', StringComparison.Ordinal) ? e : $"/**/{e}").Select(glob => (e, glob)))];

        public InputOptions Input => input;

        public List<(string Path, string Key, GlobPattern Glob)> Patterns { get; } =
            [.. input.Paths.SelectMany(path => GlobPattern.Parse(path).Select(glob => (path, KeyOf(input.Topic, path), glob)))];

        /// <summary>Null where the input's topic is a name.</summary>
        public TopicTemplate? Template { get; } = TopicTemplate.IsTemplate(input.Topic) ? new TopicTemplate(input.Topic) : null;

        /// <summary>The groups of each of the patterns; empty where the input's topic is a name.</summary>
        public List<GlobGroups> Groups { get; } = TopicTemplate.IsTemplate(input.Topic) ? [.. input.Paths.SelectMany(GlobGroups.Parse)] : [];

        public bool Wants(string path) => Patterns.Exists(pattern => pattern.Glob.IsMatch(path)) && !IsExcluded(path);

        public bool IsExcluded(string path) => ExclusionOf(path) is not null;

        public string? ExclusionOf(string path) => _exclude.Find(e => e.Glob.IsMatch(path)).Text;
    }
}

/// <summary>What an input says of a path.</summary>
/// <param name="Input">The input.</param>
/// <param name="Pattern">The first of its paths that matches; null when none does.</param>
/// <param name="Exclusion">The first of its exclusions that matches; null when none does.</param>
internal readonly record struct RuleVerdict(InputOptions Input, string? Pattern, string? Exclusion);
