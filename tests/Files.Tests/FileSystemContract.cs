using System.Text;

namespace LogPipeline.Files.Tests;

/// <summary>What every file system behind the seam does alike; the two classes below run it on the machine's and on the memory disk.</summary>
public abstract class FileSystemContract
{
    protected abstract IFileSystem Files { get; }

    protected abstract string Root { get; }

    [Fact]
    public void Bytes_written_are_read_back_at_their_position()
    {
        using IFile file = Files.Open(Root + "/a", FileOpenMode.CreateNew);
        file.Write("hello"u8, 0);
        file.Write("HE"u8, 7);
        file.Flush();
        byte[] read = new byte[20];
        Assert.Equal(9, file.Length);
        Assert.Equal(9, file.ReadFully(read, 0));
        Assert.Equal("hello\0\0HE", Encoding.ASCII.GetString(read, 0, 9));
        Assert.Equal(0, file.Read(read, 9));
    }

    [Fact]
    public void Cutting_and_extending_leaves_zeros()
    {
        using IFile file = Files.Open(Root + "/a", FileOpenMode.ReadWrite);
        file.Write("hello"u8, 0);
        file.SetLength(2);
        file.SetLength(4);
        byte[] read = new byte[4];
        Assert.Equal(4, file.ReadFully(read, 0));
        Assert.Equal("he\0\0"u8.ToArray(), read);
    }

    [Fact]
    public void Reserving_leaves_the_length()
    {
        using IFile file = Files.Open(Root + "/a", FileOpenMode.ReadWrite);
        file.Reserve(1 << 20);
        Assert.Equal(0, file.Length);
    }

    [Fact]
    public async Task Flushing_off_the_thread_ends()
    {
        IFile[] open = [.. Enumerable.Range(0, 40).Select(i => Files.Open($"{Root}/{i}", FileOpenMode.ReadWrite))];
        foreach (IFile file in open)
        {
            file.Write("x"u8, 0);
        }
        await Task.WhenAll(open.Select(file => file.FlushAsync().AsTask()));
        Array.ForEach(open, file => file.Dispose());
    }

    [Fact]
    public async Task Writing_back_changes_nothing_and_may_reach_beyond_the_end()
    {
        byte[] bytes = new byte[3_000_000]; // several pieces
        new Random(1).NextBytes(bytes);
        using IFile file = Files.Open(Root + "/a", FileOpenMode.ReadWrite);
        file.Write(bytes, 0);
        await file.WriteBackAsync(0, 0);
        await file.WriteBackAsync(100, bytes.Length);
        byte[] read = new byte[bytes.Length];
        Assert.Equal(bytes.Length, file.Read(read, 0));
        Assert.Equal(bytes, read);
        Assert.Equal(bytes.Length, file.Length);
    }

    [Fact]
    public async Task A_closed_file_is_not_written_back()
    {
        IFile file = Files.Open(Root + "/a", FileOpenMode.ReadWrite);
        file.Write("x"u8, 0);
        file.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await file.WriteBackAsync(0, 1));
    }

    [Fact]
    public void Missing_files_are_said_to_be_missing()
    {
        Assert.Throws<FileNotFoundException>(() => Files.Open(Root + "/none", FileOpenMode.Read));
        Assert.Throws<FileNotFoundException>(() => Files.Open(Root + "/none/a", FileOpenMode.ReadWrite));
        Assert.Null(Files.Stat(Root + "/none"));
        Assert.False(Files.FileExists(Root + "/none"));
        Assert.Empty(Files.List(Root + "/none"));
        Files.Delete(Root + "/none");
        Files.DeleteDirectory(Root + "/none");
    }

    [Fact]
    public void A_directory_is_made_in_one_that_is_there_only()
    {
        Files.MakeDirectory(Root + "/made");
        Files.MakeDirectory(Root + "/made");
        Assert.True(Files.DirectoryExists(Root + "/made"));
        Assert.ThrowsAny<IOException>(() => Files.MakeDirectory(Root + "/none/made"));
        Files.FlushAll(Root);
    }

    [Fact]
    public void Each_open_file_takes_a_handle()
    {
        int free = Files.FreeHandles();
        using IFile file = Files.Open(Root + "/a", FileOpenMode.ReadWrite);
        Assert.InRange(Files.FreeHandles(), 1, free);
    }

    [Fact]
    public void A_new_file_must_be_new()
    {
        Files.Open(Root + "/a", FileOpenMode.CreateNew).Dispose();
        Assert.Throws<IOException>(() => Files.Open(Root + "/a", FileOpenMode.CreateNew));
    }

    [Fact]
    public void Names_come_in_ordinal_order()
    {
        Files.CreateDirectory(Root + "/d/e");
        Files.Open(Root + "/b", FileOpenMode.CreateNew).Dispose();
        Files.Open(Root + "/B", FileOpenMode.CreateNew).Dispose();
        Assert.Equal([new("B", false), new("b", false), new("d", true)], Files.List(Root));
    }

    [Fact]
    public void A_renamed_file_keeps_its_identity_and_replaces()
    {
        using IFile old = Files.Open(Root + "/old", FileOpenMode.CreateNew);
        old.Write("old"u8, 0);
        using IFile file = Files.Open(Root + "/new", FileOpenMode.CreateNew);
        file.Write("new"u8, 0);
        Files.Rename(Root + "/new", Root + "/old");
        FileStatus status = Files.Stat(Root + "/old")!.Value;
        Assert.Equal(file.Status().Inode, status.Inode);
        Assert.Equal(3, status.Length);
        Assert.Equal(1u, status.Links);
        Assert.Equal(0u, old.Status().Links);
        Assert.NotEqual(old.Status().Inode, status.Inode);
        Assert.True(status.BirthTime > 0);
        Assert.NotEmpty(status.FileSystem);
        byte[] read = new byte[3];
        Assert.Equal(3, old.ReadFully(read, 0)); // a deleted file lives on for who has it open
        Assert.Equal("old"u8.ToArray(), read);
    }

    [Fact]
    public void A_directory_moves_with_what_is_in_it()
    {
        Files.CreateDirectory(Root + "/d");
        using IFile file = Files.Open(Root + "/d/a", FileOpenMode.CreateNew);
        Files.Rename(Root + "/d", Root + "/e");
        Assert.True(Files.FileExists(Root + "/e/a"));
        Assert.Equal(FileKind.Directory, Files.Stat(Root + "/e")!.Value.Kind);
        Files.DeleteDirectory(Root + "/e");
        Assert.False(Files.DirectoryExists(Root + "/e"));
        Assert.Equal(0u, file.Status().Links);
    }

    [Fact]
    public void A_lock_excludes_until_it_is_released()
    {
        IDisposable held = Files.Lock(Root + "/.lock");
        DirectoryLockedException refused = Assert.Throws<DirectoryLockedException>(() => Files.Lock(Root + "/.lock"));
        Assert.Contains(Root + "/.lock", refused.Message, StringComparison.Ordinal);
        held.Dispose();
        Files.Lock(Root + "/.lock").Dispose();
    }

    [Fact]
    public void Replacing_leaves_the_new_bytes_and_no_temporary()
    {
        AtomicFile.Replace(Files, Root + "/a", "a longer first version"u8);
        AtomicFile.Replace(Files, Root + "/a", "second"u8);
        Assert.Equal("second"u8.ToArray(), AtomicFile.ReadAll(Files, Root + "/a"));
        Assert.Equal([new("a", false)], Files.List(Root));
        Assert.Null(AtomicFile.ReadAll(Files, Root + "/b"));
    }

    [Fact]
    public void Free_space_is_known() => Assert.InRange(Files.FreeBytes(Root), 1, Files.TotalBytes(Root));
}

public sealed class OsFileSystemTests : FileSystemContract, IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("logpipe-files-");

    protected override IFileSystem Files { get; } = new OsFileSystem();

    protected override string Root => _directory.FullName;

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void The_lock_names_its_holder()
    {
        using IDisposable held = Files.Lock(Root + "/.lock");
        DirectoryLockedException refused = Assert.Throws<DirectoryLockedException>(() => new OsFileSystem().Lock(Root + "/.lock"));
        Assert.Contains($"process {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Links_are_told_by_a_directory_and_are_what_they_lead_to()
    {
        Files.CreateDirectory(Root + "/d");
        Files.Open(Root + "/f", FileOpenMode.CreateNew).Dispose();
        File.CreateSymbolicLink(Root + "/to-d", "d");
        File.CreateSymbolicLink(Root + "/to-f", Root + "/f");
        File.CreateSymbolicLink(Root + "/to-nothing", "gone");
        Assert.Equal(
            [new("d", true), new("f", false), new("to-d", true, true), new("to-f", false, true), new("to-nothing", false, true)],
            Files.List(Root));
    }

    [Fact]
    public void A_directory_that_may_not_be_listed_is_told_and_a_file_lists_nothing()
    {
        Files.Open(Root + "/f", FileOpenMode.CreateNew).Dispose();
        Assert.Empty(Files.List(Root + "/f"));
        Assert.Contains("Too many levels", Assert.Throws<IOException>(() => Files.List(LinkToItself())).Message, StringComparison.Ordinal);
    }

    private string LinkToItself()
    {
        File.CreateSymbolicLink(Root + "/loop", "loop");
        return Root + "/loop";
    }

    [Fact]
    public void A_name_that_is_not_UTF8_is_listed_read_and_removed_as_it_is()
    {
        const string Name = "caf\udce9.log"; // in Latin-1: é is the byte E9
        using (IFile file = Files.Open(Root + "/f", FileOpenMode.CreateNew))
        {
            file.Write("line"u8, 0);
        }
        Files.Rename(Root + "/f", $"{Root}/{Name}");
        try
        {
            Assert.Equal([new(Name, false)], Files.List(Root));
            Assert.Equal(4, Files.Stat($"{Root}/{Name}")!.Value.Length);
            Assert.Equal($"{Root}/{Name}", Files.RealPath($"{Root}/{Name}"));
            using IFile file = Files.Open($"{Root}/{Name}", FileOpenMode.Read);
            byte[] read = new byte[4];
            Assert.Equal(4, file.ReadFully(read, 0));
            Assert.Equal("line"u8.ToArray(), read);
            Assert.Throws<FileNotFoundException>(() => Files.Open($"{Root}/x{Name}", FileOpenMode.Read));
        }
        finally
        {
            Files.Delete($"{Root}/{Name}");
        }
        Assert.Empty(Files.List(Root));
    }

    [Fact]
    public void A_device_is_told_apart()
    {
        Assert.Equal(FileKind.Other, Files.Stat("/dev/null")!.Value.Kind);
    }

    [Fact]
    public void A_full_disk_is_told_apart()
    {
        using IFile full = Files.Open("/dev/full", FileOpenMode.ReadWrite);
        Assert.True(Assert.Throws<IOException>(() => full.Write("x"u8, 0)).IsDiskFull());
    }
}

public sealed class MemoryFileSystemTests : FileSystemContract
{
    protected override IFileSystem Files { get; } = MakeFiles();

    protected override string Root => "/data";

    private static Testing.Files.MemoryFileSystem MakeFiles()
    {
        var files = new Testing.Files.MemoryFileSystem(new Testing.Files.MemoryDisk(TimeProvider.System));
        files.CreateDirectory("/data");
        return files;
    }
}
