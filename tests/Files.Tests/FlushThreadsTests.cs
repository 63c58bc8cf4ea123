namespace LogPipeline.Files.Tests;

/// <summary>Who flushes what is asked for on a thread that flushes.</summary>
public sealed class FlushThreadsTests
{
    [Fact]
    public async Task What_a_flush_thread_of_one_file_system_asks_of_another_is_flushed()
    {
        string directory = Directory.CreateTempSubdirectory("logpipe-flush-").FullName;
        try
        {
            using IFile one = new OsFileSystem().Open(Path.Combine(directory, "one"), FileOpenMode.ReadWrite);
            using IFile other = new OsFileSystem().Open(Path.Combine(directory, "other"), FileOpenMode.ReadWrite);
            for (int i = 0; i < 3; i++)
            {
                one.Write("line"u8, 0);
                await OneThenOtherAsync(one, other).WaitAsync(TimeSpan.FromSeconds(30));
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Goes on on the thread that flushed: xUnit's context would take it elsewhere.</summary>
    private static Task OneThenOtherAsync(IFile one, IFile other) => one.FlushAsync().AsTask()
        .ContinueWith(_ => other.FlushAsync().AsTask(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).Unwrap();
}
