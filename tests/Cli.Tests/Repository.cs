namespace LogPipeline.Cli.Tests;

/// <summary>Finds the source tree that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "LogPipeline.sln")))
            {
                return folder.FullName;
            }
        }
        throw new InvalidOperationException("the tests do not run inside the source tree");
    }
}
