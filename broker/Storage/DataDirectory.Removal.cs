using LogPipeline.Storage.Checkpoints;

namespace LogPipeline.Storage;

/// <summary>What is removed for good: topics, half-made logs, and the first records of logs.</summary>
public sealed partial class DataDirectory
{
    /// <summary>Raises the starts of logs, durably on return, and removes the segments that lie wholly below them.</summary>
    /// <param name="starts">
    /// Logs out of <see cref="Logs"/>, and for each the first offset kept; beyond the durable end means up to it.
    /// </param>
    /// <returns>How many bytes that has freed of each log, in the order of <paramref name="starts"/>.</returns>
    /// <exception cref="IOException">The disk refused: the starts are as before.</exception>
    public IReadOnlyList<long> DeleteRecords(IReadOnlyCollection<(PartitionLog Log, long Offset)> starts)
    {
        ArgumentNullException.ThrowIfNull(starts);
        lock (_gate)
        {
            (PartitionLog Log, long Offset)[] raised = [.. starts
                .Where(static start => start.Log.OfflineReason is null)
                .Select(static start => (start.Log, start.Log.StartAt(start.Offset)))
                .Where(static start => start.Item2 > start.Log.LogStartOffset)];
            if (raised.Length > 0)
            {
                _place.Space.WithReserve(() => _starts.Set(raised));
            }
            Array.ForEach(raised, static start => start.Log.RaiseStart(start.Offset));
        }
        return [.. starts.Select(start => DeleteBelowStart(start.Log))];
    }

    /// <summary>
    /// Removes a topic's logs, also those that could not be opened; durably gone on return. Where the disk refuses half way, a second
    /// call goes on.
    /// </summary>
    /// <exception cref="IOException">The disk refused; the logs take nothing any more all the same.</exception>
    public void DeleteTopic(string topic, Guid topicId)
    {
        lock (_gate)
        {
            Delete(topic, topicId, [.. _logs.Where(log => log.TopicId == topicId)], [.. _offline.Where(log => log.TopicId == topicId)]);
        }
    }

    /// <summary>Removes some logs of one topic, durably gone on return. Where the disk refuses half way, a second call goes on.</summary>
    /// <exception cref="IOException">The disk refused; the logs take nothing any more all the same.</exception>
    public void Delete(IReadOnlyList<PartitionLog> logs)
    {
        ArgumentNullException.ThrowIfNull(logs);
        lock (_gate)
        {
            Delete(logs[0].Topic, logs[0].TopicId, [.. logs], []);
        }
    }

    /// <summary>Removes what creations that failed have left; durably gone on return.</summary>
    /// <exception cref="IOException">The disk refused, as it did before.</exception>
    public void FinishRemovals()
    {
        lock (_gate)
        {
            if (_halfMade.Count > 0)
            {
                _halfMade.RemoveAll(directory => LogDirectories.Remove(Files, directory));
                Files.FlushDirectory(_path);
            }
        }
    }

    // One log at a time: many files may go, and topics are created meanwhile. A topic that is deleted takes its logs' files with it.
    private long DeleteBelowStart(PartitionLog log)
    {
        lock (_gate)
        {
            if (log.OfflineReason is not null)
            {
                return 0;
            }
            try
            {
                return log.DeleteBelowStart();
            }
            catch (IOException e)
            {
                Log.RemovalRefused(_place.Logger, log.Directory, e);
                return 0;
            }
        }
    }

    private void Delete(string topic, Guid topicId, PartitionLog[] logs, OfflineLog[] offline)
    {
        Array.ForEach(logs, static log => log.Retire());
        var doomed = new List<string>();
        IEnumerable<(string? Directory, int Partition)> directories = logs.Select(static log => ((string?)log.Directory, log.Partition))
            .Concat(offline.Select(static log => (log.Directory, log.Partition)));
        foreach ((string? directory, int partition) in directories)
        {
            doomed.Add(LogDirectories.DoomedPathOf(_path, topic, topicId, partition));
            if (directory is not null && Files.DirectoryExists(directory))
            {
                Files.Rename(directory, doomed[^1]);
            }
        }
        Files.FlushDirectory(_path);
        foreach (string directory in doomed)
        {
            if (!LogDirectories.Remove(Files, directory))
            {
                Log.LeftAlone(_place.Logger, directory);
            }
        }
        Array.ForEach(logs, static log => log.Forget());
        _place.Journal.Commit();
        Array.ForEach(logs, static log => log.Abandon());
        SetLogs(_logs.Except(logs));
        Volatile.Write(ref _offline, [.. _offline.Except(offline)]);
        HashSet<(string, int)> gone = [.. logs.Select(static log => (log.Topic, log.Partition)), .. offline.Select(static log => (log.Topic, log.Partition))];
        _starts.KeepOnly(log => !gone.Contains(log)); // they must not become those of logs made in their place
        _cleanOffsets.KeepOnly(log => !gone.Contains(log));
        WriteCheckpoints();
    }

    private void TryFinishRemovals()
    {
        try
        {
            FinishRemovals();
        }
        catch (IOException e)
        {
            Log.CheckpointRefused(_place.Logger, _path, e);
        }
    }
}
