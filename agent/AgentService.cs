using LogPipeline.Client.Connections;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent;

/// <summary>
/// One agent: tails files and publishes each line as a record, exactly once. All of it runs on the synchronization context that
/// <see cref="StartAsync"/> is called on, which must run one piece of work at a time; so nothing here is locked.
/// </summary>
public sealed class AgentService
{
    public AgentService(
        AgentOptions options,
        IFileSystem files,
        IConnector connector,
        TimeProvider time,
        Random random,
        ILogger logger,
        Action<Exception> onFatal)
    {
        options.Validate();
    }

    /// <summary>Files that are followed now.</summary>
    public int FilesFollowed => throw new NotImplementedException();

    /// <summary>Whether all that the files held at the last look is acked.</summary>
    public bool IsCaughtUp => throw new NotImplementedException();

    /// <summary>Locks and reads the state, looks at all files once, and begins to read and ship.</summary>
    public Task StartAsync(CancellationToken cancellation) => throw new NotImplementedException();

    /// <summary>Ships what was read, as far as it is acked within <paramref name="grace"/>, notes progress and lets go of everything.</summary>
    public Task StopAsync(TimeSpan grace) => throw new NotImplementedException();
}
