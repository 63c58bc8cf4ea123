namespace LogPipeline.Files.Linux;

/// <summary>
/// The threads that wait in fdatasync, so that no caller does. First come, first served. Several flushes at once share the
/// file system's journal commits: on ext4 a hundred dirty files take 21 ms one after another and 6 ms with sixteen threads.
/// </summary>
/// <remarks>A thread starts when work waits and none is idle, and ends after ten idle seconds. The queue is bounded by the
/// number of open files: each file's owner waits for one flush before it asks for the next. The owner goes on on the thread that
/// flushed; what it asks for there, that thread takes itself when no other is free, with no wake-up.</remarks>
internal sealed class FlushThreads
{
    private const int ThreadsMax = 16;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);

    private readonly Queue<(LinuxFile File, TaskCompletionSource Done)> _waiting = new(); // guards all fields
    [ThreadStatic]
    private static bool s_isOwn; // on the threads that run Run
    private int _threads;
    private int _idle;

    /// <summary>As <see cref="IFile.FlushAsync"/>.</summary>
    public Task FlushAsync(LinuxFile file, bool beginNow)
    {
        var done = new TaskCompletionSource(); // released by Run, which holds no lock
        lock (_waiting)
        {
            _waiting.Enqueue((file, done));
            if (s_isOwn && !beginNow && _waiting.Count == 1)
            {
                return done.Task;
            }
            if (_idle >= _waiting.Count || _threads == ThreadsMax)
            {
                Monitor.Pulse(_waiting);
                return done.Task;
            }
            _threads++;
        }
        new Thread(Run) { IsBackground = true, Name = "file flush" }.Start();
        return done.Task;
    }

    private void Run()
    {
        s_isOwn = true;
        while (Take() is { } work)
        {
            try
            {
                work.File.Flush();
                work.Done.SetResult();
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                work.Done.SetException(e);
            }
        }
    }

    private (LinuxFile File, TaskCompletionSource Done)? Take()
    {
        lock (_waiting)
        {
            while (_waiting.Count == 0)
            {
                _idle++;
                bool pulsed = Monitor.Wait(_waiting, Idle);
                _idle--;
                if (!pulsed && _waiting.Count == 0)
                {
                    _threads--;
                    return null;
                }
            }
            return _waiting.Dequeue();
        }
    }
}
