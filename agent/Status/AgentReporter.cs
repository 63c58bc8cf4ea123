using System.Globalization;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Tailing;
using LogPipeline.Contract.Reports;
using LogPipeline.Files;
using LogPipeline.Hosting;

namespace LogPipeline.Agent.Status;

/// <summary>Puts together what the agent says of itself and of its files. Runs on the agent's loop.</summary>
internal sealed class AgentReporter(
    AgentMonitor monitor, FileVerdicts verdicts, FileTable table, FileCopies copies, FileProbe probe, Generations generations, AgentState state,
    AgentOptions options, AgentMetrics metrics, TimeProvider time)
{
    /// <summary>Files with lines left out that are told.</summary>
    private const int LeftOutMax = 100;

    private readonly long _started = time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The agent and all that it knows of files, those that are most behind first.</summary>
    /// <param name="path">Only files that have, or first had, this path, and directories above it that are refused; null = all.</param>
    /// <param name="filesMax">The most files that are told.</param>
    public AgentReport Report(string? path, int filesMax)
    {
        IEnumerable<FileReport> files = table.Files.Select(Of)
            .Concat(copies.Waiting.Select(Of))
            .Concat(probe.Refused.Where(refused => !IsFollowed(refused.Key)).Select(static refused => new FileReport
            {
                Path = PathText.Show(refused.Key), FirstPath = PathText.Show(refused.Key), State = FileStates.Unreadable, Reason = refused.Value,
            }));
        return With(WorstFirst(files.Where(file => path is null || file.Path == path || file.FirstPath == path || IsRefusedAbove(file, path))).Take(filesMax));
    }

    /// <summary>Whether a directory that a path lies in is refused, so that nothing is found there.</summary>
    internal static bool IsRefusedAbove(FileReport file, string path) =>
        file.Generation.Length == 0 && file.State == FileStates.Unreadable && path.StartsWith($"{file.Path}/", StringComparison.Ordinal);

    /// <summary>The agent and the files that are behind: of the others no report is made.</summary>
    public AgentReport Brief(int filesMax) =>
        With(WorstFirst(monitor.Active.Where(static file => AgentMonitor.LagOf(file) > 0).Select(Of)).Take(filesMax));

    private static IOrderedEnumerable<FileReport> WorstFirst(IEnumerable<FileReport> files) =>
        files.OrderByDescending(static file => file.LagBytes).ThenBy(static file => file.Path, StringComparer.Ordinal);

    private bool IsFollowed(string path) => options.Inputs.Any(input => table.At(path, input.Topic) is not null);

    private AgentReport With(IEnumerable<FileReport> files) => new()
    {
        AgentId = state.AgentId.ToString(),
        Host = options.Host,
        Version = Product.Version,
        State = AgentStates.Running,
        StateDirectory = options.StateDirectory,
        Time = time.GetUtcNow().ToUnixTimeMilliseconds(),
        Started = _started,
        Problems = monitor.Problems,
        FilesFollowed = table.FollowedCount,
        FilesOpen = monitor.FilesOpen,
        FilesWaiting = monitor.FilesWaiting,
        LagBytes = monitor.Active.Sum(AgentMonitor.LagOf),
        Rate = Math.Round(monitor.Rate),
        RateMax = Math.Round(monitor.RateMax),
        AckedRecords = metrics.TotalRecords,
        AckedBytes = metrics.TotalBytes,
        DeadLetters = generations.Losses.DeadLetters,
        LeftOut = [.. generations.All.Where(static generation => generation.DeadLetters.Records + generation.Omitted.Limited > 0).TakeLast(LeftOutMax).Select(LeftOutOf)],
        LostBytes = generations.Losses.LostBytes,
        Files = [.. files],
    };

    private static LeftOutReport LeftOutOf(Generation generation) => new()
    {
        FirstPath = PathText.Show(generation.FirstPath),
        Topic = generation.Topic,
        Generation = IdOf(generation),
        Begin = generation.Begin,
        Acked = generation.Acked.Position,
        DeadLetters = generation.DeadLetters.Records,
        LimitedLines = generation.Omitted.Limited,
        LimitedBytes = generation.Omitted.LimitedBytes,
    };

    private static string IdOf(Generation generation) => generation.Id.ToString("x16", CultureInfo.InvariantCulture);

    private FileReport Of(TailedFile file)
    {
        (string state, string? reason) = verdicts.Of(file);
        bool isActive = file.Pace is not null && monitor.Active.Count > 0 && AgentMonitor.LagOf(file) > 0;
        return Of(file.Generation) with
        {
            Source = file.Input.Source?.Name,
            State = state,
            Reason = reason,
            Size = file.Size,
            LagBytes = AgentMonitor.LagOf(file),
            LagSeconds = isActive ? Math.Round(file.Pace!.Behind.TotalSeconds, 1) : 0,
            Rate = file.Pace is null ? 0 : Math.Round(file.Pace.RateAt(time)),
        };
    }

    public static string WordOf(GenerationPhase phase) => phase.ToString().ToLowerInvariant();

    /// <summary>What the registry knows of a generation.</summary>
    public static FileReport Of(Generation generation) => new()
    {
        Path = PathText.Show(generation.Path),
        FirstPath = PathText.Show(generation.FirstPath),
        Topic = generation.Topic,
        Partition = generation.Partition,
        Generation = IdOf(generation),
        Phase = WordOf(generation.Phase),
        FileSystem = generation.Identity.FileSystem,
        Inode = generation.Identity.Inode,
        Birth = generation.Identity.BirthTime,
        Read = generation.Read.Position,
        Acked = generation.Acked.Position,
        PhaseSince = generation.PhaseSince,
    };

    private FileReport Of(WaitingCopy copy) => new()
    {
        Path = PathText.Show(copy.Path),
        FirstPath = PathText.Show(copy.Path),
        Topic = copy.Topic,
        State = FileStates.Waiting,
        Reason = $"it may be the copy that a rotation makes of a followed file; it is a file of its own {ShortTime.Show(options.CopyWait)} after it last grew",
        FileSystem = copy.Identity.FileSystem,
        Inode = copy.Identity.Inode,
        Birth = copy.Identity.BirthTime,
        Size = copy.Length,
    };
}
