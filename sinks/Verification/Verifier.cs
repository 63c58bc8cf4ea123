using LogPipeline.Client.Connections;
using LogPipeline.Files;

namespace LogPipeline.Sinks.Verification;

/// <summary>Compares files, topic and table, and names the first hole or repeat and its side.</summary>
public sealed class Verifier
{
    public Verifier(SinkOptions options, IConnector connector, IFileSystem files, TimeProvider time, Random random) => throw new NotImplementedException();

    /// <summary>Pins the ledger's next offsets and compares all below them.</summary>
    /// <param name="progress">Called now and then with the rows compared so far.</param>
    public Task<VerifyReport> RunAsync(Action<long>? progress, CancellationToken cancellation) => throw new NotImplementedException();
}
