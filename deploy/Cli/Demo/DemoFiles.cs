using LogPipeline.Cli.Configuration;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Demo;

/// <summary>What the demonstration leaves under <c>./data</c>, and what it tells a new user.</summary>
internal static class DemoFiles
{
    public const string Configuration = "data/logpipe.yaml";
    public const string AccessLog = "data/demo/access.log";

    /// <summary>Writes the demonstration's configuration unless it is there, and gives its path: what the user changed stays.</summary>
    public static string WriteConfiguration()
    {
        if (File.Exists(Configuration))
        {
            return Configuration;
        }
        using Stream text = typeof(DemoFiles).Assembly.GetManifestResourceStream("demo.yaml") ?? throw new InvalidOperationException("demo.yaml is not in the program");
        Directory.CreateDirectory(Path.GetDirectoryName(Configuration)!);
        using FileStream file = File.Create(Configuration);
        text.CopyTo(file);
        return Configuration;
    }

    public static void PrintNextSteps(PipelineConfiguration configuration, string file)
    {
        // The verbs find data/logpipe.yaml by themselves unless another file comes first.
        string config = ConfigurationFile.DefaultPaths.FirstOrDefault(File.Exists) == file ? "" : $" --config {file}";
        string broker = configuration.ClientBootstrap;
        Console.WriteLine($"""

            Lines written to {AccessLog} become rows. In another terminal, here:

              ./logpipe query 'status>=500' --limit 5{config}     rows, newest first
              ./logpipe tail{config}                              rows as they come
              ./logpipe topics list{config}                       what the broker holds
              ./logpipe verify{config}                            every line once? exit 0
              kcat -C -b {broker} -t web_log -o -3 -c 3   any Kafka client reads it
            {Metrics(configuration)}
            Ctrl-C stops it; the next start goes on where it stopped. {file} configures it.
            """);
    }

    private static string Metrics(PipelineConfiguration configuration)
        => configuration.Telemetry.AdminListen is { } admin ? $"  curl http://{admin}/metrics                how it is doing\n" : "";
}
