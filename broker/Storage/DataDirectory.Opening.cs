using LogPipeline.Files;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Journals;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Recovery;

namespace LogPipeline.Storage;

/// <summary>Opening the logs that a start finds: the metadata log first, then all others with what the journal has for them.</summary>
public sealed partial class DataDirectory
{
    private static PartitionLog? OpenMetadata(LogPlace place, string path, LogOffsets starts, MetaProperties identity, DataDirectoryOptions options)
    {
        string directory = LogDirectories.PathOf(path, MetadataTopic, 0);
        IReadOnlyList<DirectoryEntry> entries = place.Files.List(directory);
        if (!LogDirectories.HasSegment(entries) && !entries.Any(static entry => entry.Name.EndsWith(".checkpoint", StringComparison.Ordinal)))
        {
            return null; // never there, or half created
        }
        identity.RequireOwnMetadata(directory);
        long start = starts.Of(MetadataTopic, 0);
        var found = new FoundLog(directory, MetadataTopic, Guid.Empty, 0);
        return OpenLog(place, found, options.MetadataLog, start, cleanOffset: 0, int.MaxValue, isFlushed: false, out _);
    }

    private void OpenLogs(LogSearch search, PartitionLog? metadata)
    {
        List<PartitionLog> logs = metadata is null ? [] : [metadata];
        int handles = Files.FreeHandles() - _handlesForOthers;
        try
        {
            foreach (FoundLog one in search.Found)
            {
                Open(one, handles, logs, search);
            }
        }
        finally
        {
            SetLogs(logs); // also for a start that gives up: it lets go of them
        }
        _offline = [.. search.Offline];
        foreach (OfflineLog log in _offline)
        {
            Log.NotOpened(_place.Logger, $"{log.Topic}-{log.Partition}", log.Reason);
        }
        KeepStarts();
    }

    // Adds the log to those that are open, or to those that are offline.
    private void Open(FoundLog one, int handles, List<PartitionLog> logs, LogSearch search)
    {
        Exception? refused = logs.Count < handles
            ? TryOpen(one, isFlushed: true, logs)
            : new HandlesExhaustedException(search.Found.Count, handles);
        if (refused is null)
        {
            return;
        }
        var offline = new OfflineLog(one.Topic, one.TopicId, one.Partition, one.Directory, refused.Message);
        search.Offline.Add(offline);
        if (refused is IOException and not CorruptLogException)
        {
            _retriable.Add(offline, one);
        }
    }

    /// <summary>
    /// Tries once more to open the logs that could not be opened for want of file handles, or because the disk refused. Damaged ones, and
    /// those of which the commit journal keeps batches, are left to the next start.
    /// </summary>
    /// <param name="isWanted">Whether to try it with a topic's logs.</param>
    /// <returns>Those that are open now, to be led in an epoch up to <see cref="LeaderEpoch"/>, which rises with them.</returns>
    /// <exception cref="IOException">The disk refused to keep that epoch; they are tried again with the next call.</exception>
    public IReadOnlyList<PartitionLog> RetryOffline(Func<string, bool> isWanted)
    {
        lock (_gate)
        {
            int handles = Files.FreeHandles() - _handlesForOthers;
            List<OfflineLog> wanted = [.. _offline.Where(log => _retriable.TryGetValue(log, out FoundLog? found) && isWanted(log.Topic) && !_place.Journal.Keeps(found))];
            if (wanted.Count == 0 || handles <= 0)
            {
                return [];
            }
            _checkpoint.RaiseEpoch();
            List<PartitionLog> opened = [];
            foreach (OfflineLog log in wanted.Take(handles))
            {
                if (TryOpen(_retriable[log], isFlushed: false, opened) is null)
                {
                    _retriable.Remove(log);
                    Volatile.Write(ref _offline, [.. _offline.Where(other => other != log)]);
                }
            }
            SetLogs(_logs.Concat(opened));
            return opened;
        }
    }

    private PartitionLog OpenLog(FoundLog found, bool isFlushed)
    {
        PartitionLogOptions options = _options.OptionsOf(found.Topic);
        long start = _starts.Of(found.Topic, found.Partition);
        long clean = _cleanOffsets.Of(found.Topic, found.Partition);
        PartitionLog log = OpenLog(_place, found, options, start, clean, LeaderEpoch, isFlushed, out ProducerTable producers);
        _checkpoint.Skip(producers);
        return log;
    }

    // Adds the log to those that are open; returns why it cannot be opened.
    private Exception? TryOpen(FoundLog found, bool isFlushed, List<PartitionLog> logs)
    {
        try
        {
            logs.Add(OpenLog(found, isFlushed));
            return null;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return e;
        }
    }

    // A crash may have cut a log's removal short. A log that ends below its start has lost its end: what it takes now must not be below it.
    private void KeepStarts()
    {
        HashSet<(string, int)> there = [.. _logs.Select(static log => (log.Topic, log.Partition)), .. _offline.Select(static log => (log.Topic, log.Partition))];
        _starts.KeepOnly(there.Contains);
        _cleanOffsets.KeepOnly(there.Contains);
        (PartitionLog Log, long Offset)[] cut =
            [.. _logs.Where(log => log.LogStartOffset < _starts.Of(log.Topic, log.Partition)).Select(static log => (log, log.LogStartOffset))];
        if (cut.Length > 0)
        {
            _starts.Set(cut);
        }
    }

    private static PartitionLog OpenLog(
        LogPlace any, FoundLog found, PartitionLogOptions options, long startOffset, long cleanOffset, int leaderEpoch, bool isFlushed,
        out ProducerTable producers)
    {
        LogPlace place = any.Of(found);
        long now = place.Time.GetUtcNow().ToUnixTimeMilliseconds();
        LogReplay? replay = place.Journal.ReplayOf(found);
        using var recovery = new LogRecovery(place.Files, place.Open, found.Directory, options, cleanOffset, leaderEpoch, now, replay, isFlushed);
        LogState state = recovery.Run(startOffset);
        place.Journal.Recovered(found);
        if (state.CutBytes > 0)
        {
            Log.CutTornTail(place.Logger, $"{found.Topic}-{found.Partition}", state.CutBytes, state.EndOffset);
        }
        producers = state.Producers;
        return new PartitionLog(place, state, options, startOffset);
    }
}
