using System.Net;
using LogPipeline.Broker.Listeners;

namespace LogPipeline.Broker.Pipeline;

// Requests of one connection are handled in order, but for produce requests, which overlap with each other alone: so what
// authentication changes here is seen by every later request.
/// <summary>What handlers may know of the connection that a request came in on, and what it remembers between requests.</summary>
public sealed class ClientConnection(Listener listener, EndPoint? local, EndPoint? remote, CancellationToken gone)
{
    private long _muteTicks;
    private long _answeredBytes; // since the last charge; produce requests overlap, so it is added to from any thread

    /// <summary>The listener that the client came in on.</summary>
    public Listener Listener => listener;

    public EndPoint? RemoteEndPoint => remote;

    /// <summary>The client's host as group tools show it: a slash and the address.</summary>
    public string ClientHost { get; } = remote switch
    {
        IPEndPoint ip => "/" + (ip.Address.IsIPv4MappedToIPv6 ? ip.Address.MapToIPv4() : ip.Address),
        DnsEndPoint dns => "/" + dns.Host,
        _ => "/unknown",
    };

    /// <summary>This broker's address for the client: the listener's advertised one, or the one that the client came in on.</summary>
    public HostPort Advertised { get; } = listener.Advertised ?? HostPort.Of(local);

    /// <summary>Cancelled when the client has closed its side or the connection is broken; ends what is parked for it.</summary>
    public CancellationToken Gone => gone;

    /// <summary>Who the client is; null while it has to authenticate first.</summary>
    public Principal? Principal { get; internal set; } =
        listener.Protocol is SecurityProtocol.SaslPlaintext or SecurityProtocol.SaslSsl ? null : Principal.Anonymous;

    /// <summary>
    /// A produce request that is still to be read when its handler has returned: the connection takes no other one before this has
    /// completed, so that the frame's bytes stay and what one client sends is appended in order. Told by the handler before it awaits.
    /// </summary>
    internal Task FrameInUse { get; set; } = Task.CompletedTask;

    internal void AddAnswered(int bytes) => Interlocked.Add(ref _answeredBytes, bytes);

    /// <summary>Bytes of answers since the last call.</summary>
    internal long TakeAnswered() => Interlocked.Exchange(ref _answeredBytes, 0);

    /// <summary>Has the connection not read for that long, from the answer on.</summary>
    internal void Mute(TimeSpan time) => Interlocked.Exchange(ref _muteTicks, Math.Max(Volatile.Read(ref _muteTicks), time.Ticks));

    /// <summary>How long the connection must not be read, told once.</summary>
    internal TimeSpan TakeMute() =>
        Volatile.Read(ref _muteTicks) == 0 ? TimeSpan.Zero : new TimeSpan(Interlocked.Exchange(ref _muteTicks, 0));
}
