using LogPipeline.Testing.Network;

namespace LogPipeline.Simulation.Network;

/// <summary>A connection as the client's stream.</summary>
public sealed class LinkStream(LinkEnd end) : ConnectionStream
{
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        new(end.ReceiveAsync(buffer, cancellationToken));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        new(end.SendAsync(buffer, cancellationToken));

    protected override void Dispose(bool disposing)
    {
        end.Close();
        base.Dispose(disposing);
    }
}
