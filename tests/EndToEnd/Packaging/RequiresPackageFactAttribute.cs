using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Packaging;

/// <summary>Skips, and says so, where a package was not built or cannot be installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RequiresPackageFactAttribute : FactAttribute
{
    /// <param name="name">The package's name.</param>
    public RequiresPackageFactAttribute(string name)
    {
        if (Find(name) is null)
        {
            Skip = $"the package {name} is not built: deploy/package";
        }
        else if (!Environment.IsPrivilegedProcess)
        {
            Skip = "installing a package into a directory of its own needs root (chroot)";
        }
    }

    private static string Folder => Path.Combine(Programs.Root, "artifacts", "packages");

    /// <summary>The file that <c>deploy/package</c> made last, or null.</summary>
    public static string? Find(string name) => Directory.Exists(Folder)
        ? new DirectoryInfo(Folder).GetFiles($"{name}_*.deb").MaxBy(file => file.LastWriteTimeUtc)?.FullName
        : null;
}
