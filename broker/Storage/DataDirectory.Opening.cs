using LogPipeline.Files;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Journals;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Recovery;

namespace LogPipeline.Storage;

/// <summary>Opening the logs that a start finds: the metadata log first, then all others with what the journal has for them.</summary>
public sealed partial class DataDirectory
{
    private static PartitionLog? OpenMetadata(LogPlace place, string path, MetaProperties identity, DataDirectoryOptions options)
    {
        string directory = LogDirectories.PathOf(path, MetadataTopic, 0);
        IReadOnlyList<DirectoryEntry> entries = place.Files.List(directory);
        if (!LogDirectories.HasSegment(entries) && !entries.Any(static entry => entry.Name.EndsWith(".checkpoint", StringComparison.Ordinal)))
        {
            return null; // never there, or half created
        }
        identity.RequireOwnMetadata(directory);
        long start = OffsetCheckpoint.Read(place.Files, path, OffsetCheckpoint.LogStartOffset).GetValueOrDefault((MetadataTopic, 0));
        return OpenLog(place, new FoundLog(directory, MetadataTopic, Guid.Empty, 0), options.MetadataLog, start, int.MaxValue, out _);
    }

    private void OpenLogs(LogSearch search, PartitionLog? metadata, DataDirectoryOptions options)
    {
        Dictionary<(string, int), long> starts = OffsetCheckpoint.Read(Files, _path, OffsetCheckpoint.LogStartOffset);
        starts.Remove((MetadataTopic, 0));
        List<PartitionLog> logs = metadata is null ? [] : [metadata];
        int handles = Files.FreeHandles() - _handlesForOthers;
        foreach (FoundLog one in search.Found)
        {
            try
            {
                if (logs.Count >= handles)
                {
                    throw new HandlesExhaustedException(search.Found.Count, handles);
                }
                long start = starts.GetValueOrDefault((one.Topic, one.Partition));
                logs.Add(OpenLog(_place, one, options.OptionsOf(one.Topic), start, LeaderEpoch, out ProducerTable producers));
                _checkpoint.Skip(producers);
                _logs = [.. logs];
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                search.Offline.Add(new OfflineLog(one.Topic, one.TopicId, one.Partition, one.Directory, e.Message));
            }
        }
        SetLogs(logs);
        _offline = [.. search.Offline];
        foreach (OfflineLog log in _offline)
        {
            Log.NotOpened(_place.Logger, $"{log.Topic}-{log.Partition}", log.Reason);
        }
        if (starts.Keys.Any(start => !search.Found.Exists(one => (one.Topic, one.Partition) == start)))
        {
            WriteCheckpoints(); // of a log whose removal a crash cut short
        }
    }

    private static PartitionLog OpenLog(
        LogPlace any, FoundLog found, PartitionLogOptions options, long startOffset, int leaderEpoch, out ProducerTable producers)
    {
        LogPlace place = any.Of(found);
        long now = place.Time.GetUtcNow().ToUnixTimeMilliseconds();
        LogReplay? replay = place.Journal.ReplayOf(found);
        using var recovery = new LogRecovery(place.Files, place.Open, found.Directory, options, leaderEpoch, now, replay);
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
