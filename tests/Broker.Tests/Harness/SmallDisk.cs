using System.Diagnostics;

namespace LogPipeline.Broker.Tests.Harness;

/// <summary>A small ext4 of its own, in an image file that is mounted by a loop device: one that a test may fill.</summary>
internal sealed class SmallDisk : IDisposable
{
    private static readonly Lazy<string?> Trial = new(Try);

    private readonly string _image;

    public SmallDisk(int megabytes)
    {
        string home = Directory.CreateTempSubdirectory("logpipe-disk-").FullName;
        (_image, Folder) = (Path.Combine(home, "image"), Path.Combine(home, "mounted"));
        try
        {
            Directory.CreateDirectory(Folder);
            using (FileStream image = File.Create(_image))
            {
                image.SetLength((long)megabytes << 20);
            }
            Run("mkfs.ext4", "-q", "-F", "-m", "0", _image);
            Run("mount", "-o", "loop", _image, Folder);
        }
        catch
        {
            Directory.Delete(home, recursive: true);
            throw;
        }
    }

    /// <summary>Why there can be no such disk here; null where there can.</summary>
    public static string? Refusal => Trial.Value;

    /// <summary>Where it is mounted.</summary>
    public string Folder { get; }

    /// <summary>Bytes that are taken on it.</summary>
    public long UsedBytes => new DriveInfo(Folder) is var drive ? drive.TotalSize - drive.TotalFreeSpace : 0;

    /// <summary>Bytes that are free.</summary>
    public long FreeBytes => new DriveInfo(Folder).AvailableFreeSpace;

    public void Dispose()
    {
        Run("umount", "--lazy", Folder); // a test that failed may have left files open, and it is its failure that counts
        Directory.Delete(Path.GetDirectoryName(Folder)!, recursive: true);
    }

    private static string? Try()
    {
        try
        {
            new SmallDisk(8).Dispose();
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return $"needs root, mkfs.ext4 and loop devices: {e.Message}";
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {errors.Trim()}");
        }
    }
}

/// <summary>Skips, and says so, where no small disk can be made.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RequiresSmallDiskFactAttribute : FactAttribute
{
    public RequiresSmallDiskFactAttribute() => Skip = SmallDisk.Refusal;
}
