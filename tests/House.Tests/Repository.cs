using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace LogPipeline.House.Tests;

/// <summary>The checkout these tests were built from: its tracked files.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>Tracked files, relative to the root, that match one of the suffixes.</summary>
    public static IReadOnlyList<string> Files(params string[] suffixes) =>
        [.. Tracked.Where(path => suffixes.Any(suffix => path.EndsWith(suffix, StringComparison.Ordinal)))];

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static List<string> Tracked { get; } = ListTracked();

    private static List<string> ListTracked()
    {
        using Process git = Process.Start(new ProcessStartInfo("git", "ls-files --cached --others --exclude-standard")
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
        })!;
        string output = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        Assert.Equal(0, git.ExitCode);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(path => File.Exists(Path.Combine(Root, path)))];
    }

    private static string FindRoot([CallerFilePath] string here = "")
    {
        string? directory = File.Exists(here) ? Path.GetDirectoryName(here) : AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "LogPipeline.sln")))
        {
            directory = Path.GetDirectoryName(directory);
        }
        return directory ?? throw new InvalidOperationException($"no LogPipeline.sln above {AppContext.BaseDirectory}");
    }
}
