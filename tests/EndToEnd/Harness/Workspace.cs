namespace LogPipeline.EndToEnd.Harness;

/// <summary>A temporary directory with a configuration, in which the programs of one test run.</summary>
internal sealed class Workspace : IDisposable
{
    public Workspace() => Folder = Directory.CreateTempSubdirectory("logpipe-e2e-").FullName;

    public string Folder { get; }

    public string File(string name) => Path.Combine(Folder, name);

    /// <summary>Writes the configuration that the programs find by themselves.</summary>
    public void Configure(string yaml) => System.IO.File.WriteAllText(File("logpipe.yaml"), yaml);

    public RealProcess Start(params string[] arguments) => RealProcess.Start(Programs.Logpipe, Folder, arguments);

    public Task<(int Status, string Output, string Errors)> RunAsync(params string[] arguments) => RealProcess.RunAsync(Programs.Logpipe, Folder, arguments);

    public Task<(int Status, string Output, string Errors)> RunAsync(byte[] input, params string[] arguments)
        => RealProcess.RunAsync(Programs.Logpipe, Folder, arguments, input);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
