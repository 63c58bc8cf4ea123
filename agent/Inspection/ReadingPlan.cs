using LogPipeline.Agent.Machine;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Tailing;
using LogPipeline.Contract.Reports;
using LogPipeline.Files;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogPipeline.Agent.Inspection;

/// <summary>
/// What an agent with a configuration would start, stop and go on reading, from where and how many bytes: the configuration's rules beside what
/// the state directory, and the agent that runs, know. Nothing is changed.
/// </summary>
public sealed class ReadingPlan
{
    private readonly AgentOptions _options;
    private readonly IFileSystem _files;
    private readonly PathRules _rules;
    private readonly StateView _state;
    private readonly Dictionary<string, FileReport> _running;
    private readonly HashSet<Generation> _found = [];
    private readonly HashSet<(FileIdentity Identity, string Topic)> _had = [];
    private readonly List<PlannedFile> _planned = [];

    private ReadingPlan(AgentOptions options, IFileSystem files, AgentReport? running)
    {
        (_options, _files) = (options, files);
        _rules = new PathRules(MachineFacts.Named(options));
        _state = StateView.Load(files, options.StateDirectory);
        _running = (running?.Files ?? []).Where(static file => file.Generation.Length > 0).ToDictionary(static file => file.Generation);
    }

    /// <summary>Patterns that name nothing now.</summary>
    public IReadOnlyCollection<string> Unmatched { get; private set; } = [];

    public IReadOnlyList<PlannedFile> Files => _planned;

    /// <summary>Bytes that are to be read.</summary>
    public long BytesToRead => _planned.Where(static file => file.Step is PlannedStep.Start or PlannedStep.GoOn).Sum(static file => file.Left);

    /// <param name="options">The configuration that would be.</param>
    /// <param name="files">The disk.</param>
    /// <param name="running">What the agent that runs on the same state directory says; null when none does.</param>
    /// <exception cref="IOException">The state directory cannot be read.</exception>
    public static ReadingPlan Of(AgentOptions options, IFileSystem files, AgentReport? running)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(files);
        var plan = new ReadingPlan(options, files, running);
        plan.PlanNamed();
        plan.PlanRemembered();
        return plan;
    }

    /// <summary>What the patterns name.</summary>
    private void PlanNamed()
    {
        using var metrics = new AgentMetrics(static () => [], static () => 0, static () => 0, static () => 0, static () => 0);
        var probe = new FileProbe(_files, metrics, NullLogger.Instance);
        probe.BeginLook();
        SortedSet<string> unmatched = new(StringComparer.Ordinal);
        foreach ((string path, InputOptions input) in _rules.Find(probe, new SortedSet<string>(StringComparer.Ordinal), unmatched))
        {
            PathLook look = PathLook.At(_files, path, link: null);
            string topic = _rules.TopicOf(path, input)!;
            if (look.Obstacle is (string reason, _))
            {
                _planned.Add(new PlannedFile(PlannedStep.LeaveOut, path, topic, 0, look.Status?.Length ?? 0, reason));
            }
            else
            {
                PlanNamed(path, input, topic, look.Status!.Value);
            }
        }
        Unmatched = unmatched;
    }

    private void PlanNamed(string path, InputOptions input, string topic, FileStatus status)
    {
        FileIdentity identity = FileIdentity.Of(status);
        Generation? known = _state.Generations.LastOf(identity, generation => _rules.Gives(input, generation)) ?? _state.Generations.LatestAt(path, topic);
        // Another input may give the file the same topic, and another name may be the file's too: the first has it.
        if (_had.Add((identity, known is not null && known.Identity == identity ? known.Topic : topic)))
        {
            _planned.Add(Named(path, input, topic, status, known));
        }
    }

    private PlannedFile Named(string path, InputOptions input, string topic, FileStatus status, Generation? known)
    {
        using IFile file = _files.Open(path, FileOpenMode.Read);
        if (known is not null && _found.Add(known))
        {
            bool isSame = known.Identity == FileIdentity.Of(status);
            if (isSame ? ContentCheck.Holds(file, known) : ContentCheck.Continues(file, known))
            {
                long acked = AckedOf(known);
                return new PlannedFile(PlannedStep.GoOn, path, known.Topic, acked, Math.Max(0, status.Length - acked));
            }
            if (!isSame)
            {
                _found.Remove(known); // it may be elsewhere
            }
        }
        if (_rules.ProblemOf(topic, input) is string problem)
        {
            return new PlannedFile(PlannedStep.LeaveOut, path, topic, 0, status.Length, problem);
        }
        bool fromEnd = input.ReadFrom == ReadFrom.End && !_rules.KeysOf(path, input).Any(_state.Registry.InputsStarted.Contains);
        long from = fromEnd ? LastLineEnd.In(file, input) : 0;
        return new PlannedFile(PlannedStep.Start, path, topic, from, status.Length - from);
    }

    /// <summary>What was followed and has no name among the patterns: rotated files go on, what is wanted no more stops.</summary>
    private void PlanRemembered()
    {
        foreach (Generation generation in _state.Generations.All.Where(g => !g.IsOver && !_found.Contains(g)))
        {
            FileReport file = StateView.Of(generation, _files);
            long acked = AckedOf(generation);
            bool isWanted = _rules.InputOf(generation) is not null;
            if (!isWanted || file.State != FileStates.Waiting)
            {
                _planned.Add(new PlannedFile(isWanted ? PlannedStep.GoOn : PlannedStep.Stop, generation.Path, generation.Topic, acked, Math.Max(0, file.Size - acked)));
            }
        }
    }

    private long AckedOf(Generation generation) =>
        _running.TryGetValue(Status.AgentReporter.Of(generation).Generation, out FileReport? file) ? Math.Max(file.Acked, generation.Acked.Position) : generation.Acked.Position;
}
