namespace LogPipeline.Interop.Sarama;

/// <summary>Sarama/main.go, built once for all tests.</summary>
public sealed class SaramaProgram : IAsyncLifetime
{
    /// <summary>The protocol version that sarama 1.22 speaks unless told otherwise: message format 0, Produce and Fetch 0.</summary>
    public const string Default = "0.8.2.0";

    private readonly string _scratch = Directory.CreateTempSubdirectory("logpipe-sarama-").FullName;

    private string Program => Path.Combine(_scratch, "sarama");

    public async Task InitializeAsync()
    {
        if (ForeignProgram.Find("go") is null)
        {
            return; // the tests say so
        }
        await ForeignProgram.RunAsync(
            "go", ["build", "-o", Program, Path.Combine(AppContext.BaseDirectory, "Sarama", "main.go")],
            environment: [("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOCACHE", Path.Combine(_scratch, "gocache"))]);
    }

    public Task DisposeAsync()
    {
        Directory.Delete(_scratch, recursive: true);
        return Task.CompletedTask;
    }

    /// <summary>Starts it for a test that looks on while it runs.</summary>
    internal ForeignProcess Start(string verb, params string[] arguments) => new(Program, [verb, .. arguments]);

    public Task<string> RunAsync(string verb, params string[] arguments) => ForeignProgram.RunAsync(Program, [verb, .. arguments]);
}
