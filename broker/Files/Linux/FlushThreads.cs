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
    private const int PieceBytes = 512 << 10; // a commit that meets one waits for half a millisecond; much smaller ones cost throughput
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);

    private readonly Queue<Work> _waiting = new(); // guards all fields
    private readonly Lock _writingBack = new(); // one file at a time: another flush meets one piece at most
    [ThreadStatic]
    private static FlushThreads? s_owner; // on the threads that run Run: whose queue they take from
    private int _threads;
    private int _idle;

    /// <summary>As <see cref="IFile.FlushAsync"/>.</summary>
    public Task FlushAsync(LinuxFile file, bool beginNow) => Begin(new Work(file), beginNow);

    /// <summary>As <see cref="IFile.WriteBackAsync"/>.</summary>
    public Task WriteBackAsync(LinuxFile file, long position, long length) =>
        length == 0 ? Task.CompletedTask : Begin(new Work(file) { Position = position, Length = length }, beginNow: false);

    private Task Begin(Work work, bool beginNow)
    {
        TaskCompletionSource done = work.Done;
        lock (_waiting)
        {
            _waiting.Enqueue(work);
            if (s_owner == this && !beginNow && _waiting.Count == 1)
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
        s_owner = this;
        while (Take() is { } work)
        {
            try
            {
                Do(work);
                work.Done.SetResult();
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                work.Done.SetException(e);
            }
        }
    }

    private void Do(Work work)
    {
        if (work.Length == 0)
        {
            work.File.Flush();
            return;
        }
        lock (_writingBack)
        {
            for (long done = 0; done < work.Length; done += PieceBytes)
            {
                work.File.WriteBack(work.Position + done, Math.Min(PieceBytes, work.Length - done));
            }
        }
    }

    private Work? Take()
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

    /// <summary>A flush, or the write-back of a range when <c>Length</c> is not 0. <c>Done</c> is released by a thread that holds no lock.</summary>
    private sealed record Work(LinuxFile File)
    {
        public TaskCompletionSource Done { get; } = new();

        public long Position { get; init; }

        public long Length { get; init; }
    }
}
