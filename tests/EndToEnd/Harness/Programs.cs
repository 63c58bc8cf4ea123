namespace LogPipeline.EndToEnd.Harness;

/// <summary>Where the programs under test are: built beside these tests, in the same configuration.</summary>
internal static class Programs
{
    private static readonly string Configuration = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/')).Name;

    public static string Root { get; } = FindRoot();

    public static string Logpipe { get; } = Path.Combine(Root, "artifacts", "bin", "LogPipeline.Cli", Configuration, "logpipe");

    /// <summary>The agent's own program, copied beside the other one by its build.</summary>
    public static string Agent { get; } = Path.Combine(Root, "artifacts", "bin", "LogPipeline.AgentProgram", Configuration, "logpipe-agent");

    /// <summary>Apache Kafka's start script, or null where the peers are not installed.</summary>
    public static string? KafkaScript { get; } = new[] { Environment.GetEnvironmentVariable("LOGPIPE_PEERS"), Path.Combine(Root, "..", "shared", "peers") }
        .Where(folder => !string.IsNullOrEmpty(folder)).Select(folder => Path.GetFullPath(Path.Combine(folder!, "kafka.sh"))).FirstOrDefault(File.Exists);

    private static string FindRoot()
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
