using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Storage;

/// <summary>One directory with partition logs, locked by this process.</summary>
public sealed class DataDirectory : IDisposable
{
    private DataDirectory()
    {
    }

    /// <summary>Locks the directory, makes it if need be, and opens the logs in it; recovers them after a crash.</summary>
    /// <exception cref="DirectoryLockedException">Another process has it.</exception>
    /// <exception cref="CorruptLogException">A log is damaged beyond a torn tail.</exception>
    public static DataDirectory Open(
        IFileSystem files, string path, DataDirectoryOptions options, TimeProvider time, Random random, ILogger logger) =>
        throw new NotImplementedException();

    public string ClusterId => throw new NotImplementedException();

    public int NodeId => throw new NotImplementedException();

    /// <summary>Rises durably at each start; every log appends with it.</summary>
    public int LeaderEpoch => throw new NotImplementedException();

    /// <summary>The open logs, by topic and partition in ordinal order. A snapshot.</summary>
    public IReadOnlyList<PartitionLog> Logs => throw new NotImplementedException();

    /// <summary>Makes a log; its name is durable on return.</summary>
    /// <exception cref="IOException">It is there already, or the disk refused.</exception>
    public PartitionLog Create(string topic, Guid topicId, int partition, PartitionLogOptions options) => throw new NotImplementedException();

    /// <summary>Removes a log, durably gone on return.</summary>
    public void Delete(PartitionLog log) => throw new NotImplementedException();

    /// <summary>A producer id never given out before, over all lives of this directory.</summary>
    public long NextProducerId() => throw new NotImplementedException();

    /// <summary>Flushes all logs and leaves the mark of a clean stop. Appends after it fail.</summary>
    public Task CloseAsync() => throw new NotImplementedException();

    /// <summary>Lets go of the files and the lock without flushing, as a crash would.</summary>
    public void Dispose() => throw new NotImplementedException();
}
