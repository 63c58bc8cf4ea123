using System.Diagnostics.Metrics;
using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.Sources;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Tailing;
using LogPipeline.Files.Waiting;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Status;

/// <summary>
/// Looks at the agent once a second: how far behind files are, how fast they are sent, what keeps it from doing all it should. What it
/// finds other threads read: metrics, health. It reads state only, and runs on the agent's loop.
/// </summary>
internal sealed class AgentMonitor(
    FileTable table, FileHandles handles, FileProbe probe, BrokerWatch brokers, Troubles troubles, SourceSet sources, DeletedFiles deleted, AgentState state,
    AgentOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>How long a trouble may last before health tells it: a broker that is started anew is away for some seconds.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>How long nothing may be read of a file with unread lines that nothing holds up.</summary>
    private static readonly TimeSpan StillMax = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How long a file is shown among the metrics after it was last written to.</summary>
    private static readonly TimeSpan ShownFor = TimeSpan.FromMinutes(1);

    /// <summary>Refused paths that health names; of more it tells the number.</summary>
    private const int NamedMax = 3;

    private readonly Backlog _backlog = new(time, logger);
    private readonly HashSet<TailedFile> _stalled = new(ReferenceEqualityComparer.Instance);
    private readonly Throughput _throughput = new();
    private volatile IReadOnlyList<(string Path, string Topic, long Lag)> _lag = [];
    private volatile IReadOnlyList<string> _problems = [];
    private volatile int _filesOpen;
    private volatile int _filesWaiting;
    private long _deletedBytes;
    private long _lookedAt = time.GetTimestamp();

    /// <summary>Bytes that are not acked, by file and topic: two lives of one path are one file to those who read metrics. Put together when it is asked for.</summary>
    public IEnumerable<Measurement<long>> Lag => _lag.GroupBy(static file => (file.Path, file.Topic)).Select(static file => new Measurement<long>(
        file.Sum(static life => life.Lag),
        new KeyValuePair<string, object?>("file", file.Key.Path),
        new KeyValuePair<string, object?>("topic", file.Key.Topic)));

    public int FilesOpen => _filesOpen;

    public int FilesWaiting => _filesWaiting;

    /// <summary>Bytes not read of files that no name is left of: what keeps them on the disk is that they are held open.</summary>
    public long DeletedBytes => Volatile.Read(ref _deletedBytes);

    /// <summary>The files that have something unread or not acked, or were written to lately.</summary>
    public IReadOnlyList<TailedFile> Active { get; private set; } = [];

    /// <summary>Bytes of files acked in a second.</summary>
    public double Rate => _throughput.Rate;

    public double RateMax => _throughput.RateMax;

    /// <summary>What keeps the agent from doing all it should. A loop that does not run is a problem too: a file system that hangs holds it up.</summary>
    public IReadOnlyList<string> Problems
    {
        get
        {
            TimeSpan silent = time.GetElapsedTime(Volatile.Read(ref _lookedAt));
            return silent < Patience * 3 ? _problems
                : [$"the agent's loop has not run for {(long)silent.TotalSeconds} s: a file system or a disk may hang", .. _problems];
        }
    }

    /// <summary>Set when the problems are others than at the last look.</summary>
    public AsyncSignal HealthChanged { get; } = new();

    public async Task RunAsync(CancellationToken stopped)
    {
        while (true)
        {
            Look();
            await Task.Delay(Interval, time, stopped);
        }
    }

    private void Look()
    {
        Active = table.TakeActive(file => file.Unread > 0 || file.Generation.Acked.Position < file.Generation.Read.Position
            || time.GetElapsedTime(file.ChangedAt) < ShownFor);
        long acked = 0;
        long lag = 0;
        foreach (TailedFile file in Active)
        {
            Pace pace = file.Pace ??= new Pace();
            pace.Note(file, time);
            acked += Math.Max(0, pace.AckedSince);
            lag += LagOf(file);
        }
        long now = time.GetTimestamp();
        _throughput.Note(acked, time.GetElapsedTime(_lookedAt, now));
        Volatile.Write(ref _lookedAt, now);
        _backlog.Note(lag, acked);
        _lag = [.. Active.Select(static file => (file.Generation.Path, file.Generation.Topic, LagOf(file)))];
        (_filesOpen, _filesWaiting) = (handles.Count, handles.Waiting);
        Volatile.Write(ref _deletedBytes, Active.Sum(DeletedFiles.UnreadOf));
        deleted.Note(_deletedBytes);
        IReadOnlyList<string> before = _problems;
        _problems = [.. FindProblems()];
        if (!_problems.SequenceEqual(before))
        {
            HealthChanged.Set();
        }
    }

    public static long LagOf(TailedFile file) => Math.Max(0, file.Size - file.Generation.Acked.Position);

    private IEnumerable<string> FindProblems()
    {
        if (brokers.Problem(Patience) is string away)
        {
            yield return away;
        }
        else
        {
            foreach (string trouble in troubles.Problems(Patience))
            {
                yield return trouble;
            }
        }
        foreach (LogShipper log in Active.Select(static file => file.Log).OfType<LogShipper>().Distinct().Where(static log => log.Silence >= Patience))
        {
            yield return $"{log.Key.Topic}-{log.Key.Partition}: its broker does not answer";
        }
        if (state.Pause.IsPaused)
        {
            yield return $"the agent's state cannot be written, reading pauses: {state.Pause.Reason}";
        }
        foreach (string refused in RefusedPaths())
        {
            yield return refused;
        }
        if (handles.Waiting > 0)
        {
            yield return $"{handles.Waiting} files wait until they can be held open; raise open_files_max";
        }
        if (_deletedBytes > options.DeletedBytesAlarm)
        {
            yield return $"deleted files hold {ByteCount.Show(_deletedBytes)} that are not read, and their disk space with them";
        }
        foreach (string source in sources.Problems)
        {
            yield return source;
        }
        foreach (string still in Stalled())
        {
            yield return still;
        }
    }

    private IEnumerable<string> RefusedPaths()
    {
        int count = 0;
        foreach ((string path, string reason) in probe.Refused)
        {
            if (++count <= NamedMax)
            {
                yield return $"{path} cannot be read: {reason}";
            }
        }
        if (count > NamedMax)
        {
            yield return $"{count - NamedMax} more paths cannot be read";
        }
    }

    /// <summary>Files whose bytes are not read though nothing holds them up: a fault of the agent, which must not stay unseen.</summary>
    private IEnumerable<string> Stalled()
    {
        foreach (TailedFile file in Active)
        {
            bool isStalled = file.Pace!.Still >= StillMax && file is { IsAtEnd: false, IsReadable: true, Log.CanAccept: true }
                && probe.RefusalOf(file.Generation.Path) is null;
            if (!isStalled)
            {
                _stalled.Remove(file);
                continue;
            }
            if (_stalled.Add(file))
            {
                logger.Stalled(file.Generation.Path, file.Unread, (long)file.Pace.Still.TotalSeconds);
            }
            yield return $"{file.Generation.Path}: nothing is read of it, though nothing is known that holds it up";
        }
        _stalled.RemoveWhere(file => !table.Holds(file));
    }
}
