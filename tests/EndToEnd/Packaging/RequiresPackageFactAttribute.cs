using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Packaging;

/// <summary>Skips, and says so, where a package was not built or cannot be installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RequiresPackageFactAttribute : FactAttribute
{
    private const string Amd64 = "amd64";

    /// <param name="name">The package's name.</param>
    /// <param name="program">A program that is needed too; null = only those that every Debian has.</param>
    /// <param name="architecture">For which machines it is, by Debian's name.</param>
    public RequiresPackageFactAttribute(string name, string? program = null, string architecture = Amd64)
    {
        if (Find(name, architecture) is null)
        {
            Skip = $"the package {name} for {architecture} is not built: deploy/package --arch {architecture}";
        }
        else if (!Environment.IsPrivilegedProcess)
        {
            Skip = "installing a package into a directory of its own needs root (chroot)";
        }
        else if (program is not null && !File.Exists(program))
        {
            Skip = $"there is no {program}";
        }
    }

    private static string Folder => Path.Combine(Programs.Root, "artifacts", "packages");

    /// <summary>The file that <c>deploy/package</c> made last, or null.</summary>
    public static string? Find(string name, string architecture = Amd64) => Directory.Exists(Folder)
        ? new DirectoryInfo(Folder).GetFiles($"{name}_*_{architecture}.deb").MaxBy(file => file.LastWriteTimeUtc)?.FullName
        : null;
}
