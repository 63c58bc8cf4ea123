using LogPipeline.Files;
using LogPipeline.Storage.Producers;

namespace LogPipeline.Storage.Checkpoints;

/// <summary>
/// What must never be given out twice, durable before it is: the leader epoch of this life and the end of the block from which
/// producer ids are taken. The lock guards the ids.
/// <code>
/// version=1
/// leader.epoch=3
/// producer.id.end=2000
/// </code>
/// </summary>
internal sealed class BrokerCheckpoint
{
    public const string FileName = "broker.checkpoint";
    private const int BlockSize = 1000;

    private readonly Lock _gate = new();
    private readonly IFileSystem _files;
    private readonly string _path;
    private long _nextProducerId;
    private long _producerIdEnd;

    private BrokerCheckpoint(IFileSystem files, string path, int leaderEpoch, long producerIdEnd)
    {
        _files = files;
        _path = path;
        LeaderEpoch = leaderEpoch;
        _nextProducerId = producerIdEnd;
        _producerIdEnd = producerIdEnd;
    }

    public int LeaderEpoch { get; private set; }

    /// <summary>Begins a new life: a leader epoch above all before, those in the logs found too.</summary>
    public static BrokerCheckpoint NextLife(IFileSystem files, string directory, List<FoundLog> logs)
    {
        string path = directory + "/" + FileName;
        Dictionary<string, string>? properties = Properties.Read(files, path);
        int epoch = properties is null ? -1 : (int)Properties.Number(properties, "leader.epoch", path);
        long end = properties is null ? 0 : Properties.Number(properties, "producer.id.end", path);
        foreach (FoundLog log in logs)
        {
            epoch = Math.Max(epoch, LatestEpochOf(files, log));
        }
        var checkpoint = new BrokerCheckpoint(files, path, epoch + 1, end);
        checkpoint.Write(end);
        return checkpoint;
    }

    // A damaged file is made anew from its log, which has no epoch above the broker's own.
    private static int LatestEpochOf(IFileSystem files, FoundLog log)
    {
        try
        {
            return LeaderEpochs.Read(files, log.Directory).Latest;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return -1;
        }
    }

    /// <summary>Ids found in a log count as given out: the log may come from another broker.</summary>
    public void Skip(ProducerTable producers)
    {
        lock (_gate)
        {
            foreach (ProducerEntry entry in producers.Entries)
            {
                _nextProducerId = Math.Max(_nextProducerId, entry.ProducerId + 1);
            }
        }
    }

    /// <summary>Raises the leader epoch durably: a partition begins to be led within this life.</summary>
    public void RaiseEpoch()
    {
        lock (_gate)
        {
            LeaderEpoch++;
            Write(_producerIdEnd);
        }
    }

    public long NextProducerId()
    {
        lock (_gate)
        {
            if (_nextProducerId >= _producerIdEnd)
            {
                Write(_nextProducerId + BlockSize);
                _producerIdEnd = _nextProducerId + BlockSize;
            }
            return _nextProducerId++;
        }
    }

    private void Write(long producerIdEnd) =>
        Properties.Write(_files, _path, "version=1", $"leader.epoch={LeaderEpoch}", $"producer.id.end={producerIdEnd}");
}
