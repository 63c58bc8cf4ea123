using System.Diagnostics;

namespace LogPipeline.Interop;

/// <summary>Finds and runs programs of others.</summary>
internal static class ForeignProgram
{
    public const string Hint = "Install kcat, golang-go, golang-github-shopify-sarama-dev, nodejs, npm and python3-kafka.";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    /// <summary>The script that runs Apache Kafka's tools; null where there is none.</summary>
    public static string? KafkaTools { get; } = new[]
    {
        Environment.GetEnvironmentVariable("LOGPIPE_KAFKA_TOOLS"),
        Path.Combine(RepositoryRoot(), "..", "shared", "peers", "kafka.sh"),
    }.FirstOrDefault(path => path is not null && File.Exists(path));

    /// <summary>The path of a program, or null.</summary>
    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(':').Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);

    /// <summary>Runs a program and returns all it wrote; fails when it does.</summary>
    public static async Task<string> RunAsync(
        string program, IEnumerable<string> arguments, string? input = null, string? directory = null, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory ?? Path.GetTempPath(),
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }
        using Process process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(patience.Token);
            Task<string> errors = process.StandardError.ReadToEndAsync(patience.Token);
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            await process.WaitForExitAsync(patience.Token);
            string said = await output;
            Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} failed: {said} {await errors}");
            return said;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static string RepositoryRoot()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "LogPipeline.sln")))
        {
            directory = directory.Parent;
        }
        return directory?.FullName ?? AppContext.BaseDirectory;
    }
}
