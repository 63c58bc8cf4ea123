using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Packaging;

/// <summary>Skips, and says so, where the agent's package was not built or cannot be installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RequiresAgentPackageFactAttribute : FactAttribute
{
    public RequiresAgentPackageFactAttribute()
    {
        if (Package is null)
        {
            Skip = "the agent's package is not built: deploy/package";
        }
        else if (!Environment.IsPrivilegedProcess)
        {
            Skip = "installing a package into a directory of its own needs root (chroot)";
        }
    }

    /// <summary>The file that <c>deploy/package</c> made last, or null.</summary>
    public static string? Package { get; } = Directory.Exists(Folder)
        ? new DirectoryInfo(Folder).GetFiles("logpipe-agent_*.deb").MaxBy(file => file.LastWriteTimeUtc)?.FullName
        : null;

    private static string Folder => Path.Combine(Programs.Root, "artifacts", "packages");
}
