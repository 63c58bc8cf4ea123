using LogPipeline.Files;

namespace LogPipeline.Storage.Segments;

/// <summary>
/// An open file with several users: the segment or <see cref="OpenFiles"/>, and each slice that is being sent. The last one to let go
/// closes it, so a deleted segment gives its space back when the last slice of it is sent. All members may be called from any thread.
/// </summary>
internal sealed class SharedFile(IFile file)
{
    private int _users = 1;

    public IFile File => file;

    /// <summary>Counts one more user; false when the last one has let go already.</summary>
    public bool TryUse(out FileUse use)
    {
        for (int users = Volatile.Read(ref _users); users > 0;)
        {
            int seen = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (seen == users)
            {
                use = new FileUse(this);
                return true;
            }
            users = seen;
        }
        use = default;
        return false;
    }

    /// <summary>One user lets go.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            file.Dispose();
        }
    }
}

/// <summary>One use of a shared file: it stays open until this is disposed, which must happen once.</summary>
internal readonly record struct FileUse(SharedFile Shared) : IDisposable
{
    public IFile File => Shared.File;

    public void Dispose() => Shared.Release();
}
