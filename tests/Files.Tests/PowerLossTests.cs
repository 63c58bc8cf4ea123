using LogPipeline.Testing.Files;

namespace LogPipeline.Files.Tests;

/// <summary>The memory disk forgets what was not flushed, and nothing else.</summary>
public sealed class PowerLossTests
{
    private readonly MemoryDisk _disk = new(TimeProvider.System);

    private MemoryFileSystem Start() => new(_disk);

    private MemoryFileSystem LosePower(MemoryFileSystem files, int seed)
    {
        files.Kill();
        _disk.LosePower(new Random(seed));
        return Start();
    }

    private static byte[] Pattern(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)((i % 251) + 1))];

    [Fact]
    public void What_a_flush_of_the_whole_file_system_saw_stays()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            MemoryFileSystem files = Start();
            files.MakeDirectory($"/made{seed}");
            using (IFile file = files.Open($"/made{seed}/f", FileOpenMode.CreateNew))
            {
                file.Write(Pattern(700), 0);
            }
            files.FlushAll("/");
            files.MakeDirectory($"/later{seed}");
            files = LosePower(files, seed);
            Assert.Equal(Pattern(700), AtomicFile.ReadAll(files, $"/made{seed}/f"));
        }
        Assert.InRange(Start().List("/").Count(entry => entry.Name.StartsWith("later", StringComparison.Ordinal)), 1, 99);
    }

    [Fact]
    public void Flushed_bytes_stay_and_unflushed_ones_come_out_whole_partly_or_not_at_all()
    {
        byte[] bytes = Pattern(3000);
        var seen = new HashSet<string>();
        for (int seed = 0; seed < 200; seed++)
        {
            MemoryFileSystem files = Start();
            files.CreateDirectory("/d");
            using (IFile file = files.Open("/d/f" + seed, FileOpenMode.CreateNew))
            {
                file.Write(bytes.AsSpan(0, 1000), 0);
                file.Flush();
                files.FlushDirectory("/d");
                file.Write(bytes.AsSpan(1000), 1000);
            }
            files = LosePower(files, seed);
            byte[] kept = AtomicFile.ReadAll(files, "/d/f" + seed)!;
            Assert.True(kept.AsSpan(0, 1000).SequenceEqual(bytes.AsSpan(0, 1000)));
            for (int i = 1000; i < kept.Length; i++)
            {
                Assert.True(kept[i] == bytes[i] || kept[i] == 0, $"seed {seed}, byte {i}");
            }
            bool prefix = kept.AsSpan().SequenceEqual(bytes.AsSpan(0, kept.Length));
            seen.Add(kept.Length == 1000 ? "none" : !prefix ? "holes" : kept.Length == 3000 ? "all" : "torn");
        }
        Assert.Equal(["all", "holes", "none", "torn"], seen.Order());
    }

    [Fact]
    public void Names_are_lost_unless_the_directory_was_flushed()
    {
        int created = 0, renamed = 0, deleted = 0;
        for (int seed = 0; seed < 100; seed++)
        {
            MemoryFileSystem files = Start();
            string d = "/d" + seed;
            files.CreateDirectory(d);
            files.Open(d + "/certain", FileOpenMode.CreateNew).Dispose();
            files.Open(d + "/from", FileOpenMode.CreateNew).Dispose();
            files.Open(d + "/gone", FileOpenMode.CreateNew).Dispose();
            files.FlushDirectory(d);
            files.Open(d + "/new", FileOpenMode.CreateNew).Dispose();
            files.Rename(d + "/from", d + "/to");
            files.Delete(d + "/gone");
            files = LosePower(files, seed);
            Assert.True(files.FileExists(d + "/certain"));
            Assert.True(files.FileExists(d + "/from") ^ files.FileExists(d + "/to"));
            created += files.FileExists(d + "/new") ? 1 : 0;
            renamed += files.FileExists(d + "/to") ? 1 : 0;
            deleted += files.FileExists(d + "/gone") ? 0 : 1;
        }
        Assert.All([created, renamed, deleted], count => Assert.InRange(count, 20, 80));
    }

    [Fact]
    public void A_file_keeps_its_inode_number_over_a_power_failure_whatever_became_of_the_deletion_before_it()
    {
        int deleted = 0;
        for (int seed = 0; seed < 100; seed++)
        {
            MemoryFileSystem files = Start();
            (string from, string to) = ($"/from{seed}", $"/to{seed}");
            files.CreateDirectory(from);
            files.CreateDirectory(to);
            ulong freed = Make(from + "/gone");
            files.FlushDirectory(from);
            files.Delete(from + "/gone");
            Assert.Equal(freed, Make(to + "/new"));
            if (seed % 2 == 0)
            {
                files.FlushDirectory(to);
            }
            files = LosePower(files, seed);
            Assert.Equal(freed, files.Stat(to + "/new")?.Inode ?? files.Stat(from + "/gone")?.Inode ?? freed);
            Assert.False(files.FileExists(to + "/new") && files.FileExists(from + "/gone"));
            deleted += files.FileExists(from + "/gone") ? 0 : 1;
            files.FlushAll("/");

            ulong Make(string path)
            {
                using IFile file = files.Open(path, FileOpenMode.CreateNew);
                return file.Status().Inode;
            }
        }
        Assert.InRange(deleted, 60, 99);
    }

    [Fact]
    public void A_replaced_file_has_the_old_bytes_or_the_new_wherever_the_power_fails()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            MemoryFileSystem files = Start();
            files.CreateDirectory("/d");
            AtomicFile.Replace(files, "/d/a", "old"u8);
            int stop = seed % 12;
            void Count(FileCall call)
            {
                if (stop-- == 0)
                {
                    files.Kill();
                }
            }
            files.Before = Count;
            files.After = Count;
            bool done = false;
            try
            {
                AtomicFile.Replace(files, "/d/a", "newer"u8);
                done = true;
            }
            catch (ObjectDisposedException)
            {
                // The process died on the way, as this test wants.
            }
            files = LosePower(files, seed);
            byte[] kept = AtomicFile.ReadAll(files, "/d/a")!;
            Assert.True(kept.AsSpan().SequenceEqual("newer"u8) || (!done && kept.AsSpan().SequenceEqual("old"u8)), $"seed {seed}");
        }
    }

    [Fact]
    public void A_killed_process_loses_its_locks_and_nothing_it_wrote()
    {
        MemoryFileSystem files = Start();
        files.Lock("/.lock");
        IFile file = files.Open("/a", FileOpenMode.CreateNew);
        file.Write("x"u8, 0);
        files.Kill();
        Assert.Throws<ObjectDisposedException>(() => file.Flush());
        Assert.Throws<ObjectDisposedException>(() => files.FileExists("/a"));
        MemoryFileSystem next = Start();
        next.Lock("/.lock").Dispose();
        Assert.Equal("x"u8.ToArray(), AtomicFile.ReadAll(next, "/a"));
    }

    [Fact]
    public async Task A_slow_flush_keeps_only_what_was_there_when_it_began()
    {
        var ends = new TaskCompletionSource();
        MemoryFileSystem files = Start();
        files.FlushDelay = _ => ends.Task;
        IFile file = files.Open("/a", FileOpenMode.CreateNew);
        files.FlushDirectory("/");
        file.Write("a"u8, 0);
        Task flush = file.FlushAsync().AsTask();
        file.Write("b"u8, 1);
        Assert.False(flush.IsCompleted);
        ends.SetResult();
        await flush;
        bool lost = false;
        for (int seed = 0; seed < 20; seed++)
        {
            files = LosePower(files, seed);
            byte[] kept = AtomicFile.ReadAll(files, "/a")!;
            Assert.Equal((byte)'a', kept[0]);
            lost |= kept.Length == 1;
            using IFile again = files.Open("/a", FileOpenMode.ReadWrite);
            again.Write("b"u8, 1);
        }
        Assert.True(lost);
    }

    [Fact]
    public void A_full_disk_takes_what_fits()
    {
        MemoryFileSystem files = Start();
        using IFile file = files.Open("/a", FileOpenMode.CreateNew);
        _disk.Capacity = 10;
        Assert.True(Assert.Throws<IOException>(() => file.Write(new byte[11], 0)).IsDiskFull());
        Assert.Equal(10, file.Length);
        Assert.Equal(0, files.FreeBytes("/"));
        file.Write(new byte[5], 2); // in place
        file.SetLength(1);
        file.Write(new byte[9], 1);
    }

    [Fact]
    public void An_inode_number_is_given_again_with_a_new_birth_time()
    {
        MemoryFileSystem files = Start();
        IFile first = files.Open("/a", FileOpenMode.CreateNew);
        FileStatus before = first.Status();
        files.Delete("/a");
        Assert.NotEqual(before.Inode, Made("/b").Inode); // still open
        first.Dispose();
        FileStatus after = Made("/c");
        Assert.Equal(before.Inode, after.Inode);
        Assert.True(after.BirthTime > before.BirthTime);

        FileStatus Made(string path)
        {
            using IFile file = files.Open(path, FileOpenMode.CreateNew);
            return file.Status();
        }
    }
}
