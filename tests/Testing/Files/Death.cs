namespace LogPipeline.Testing.Files;

/// <summary>For tests that end a process at each call of its file system in turn, and then the machine's power.</summary>
public static class Death
{
    /// <summary>The process dies before or after a call; each counts twice, from now on.</summary>
    /// <param name="moment">1 is before the next call, 2 after it.</param>
    public static void DieAt(this MemoryFileSystem files, int moment)
    {
        int moments = 0;
        files.Before = files.After = _ =>
        {
            if (++moments == moment)
            {
                files.Die();
                throw new ProcessDiedException();
            }
        };
    }

    /// <summary>The process dies now.</summary>
    public static void Die(this MemoryFileSystem files) => files.Kill(static () => new ProcessDiedException());

    /// <summary>The process dies now, and what was not synced is gone as the seed decides.</summary>
    /// <returns>The file system of a process after the restart.</returns>
    public static MemoryFileSystem LosePower(this MemoryFileSystem files, int seed)
    {
        files.Die();
        files.Disk.LosePower(new Random(seed));
        return new MemoryFileSystem(files.Disk);
    }

    /// <summary>Returns false where the process died in it.</summary>
    public static async Task<bool> OutlivesAsync(Func<Task> work)
    {
        try
        {
            await work();
            return true;
        }
        catch (ProcessDiedException)
        {
            return false;
        }
    }
}
