using LogPipeline.Simulation.Kernel;

namespace LogPipeline.Simulation.Network;

/// <summary>
/// A connection. Its two ends see a cut at different times, and the end of a process as its kernel shows it: what was sent may
/// still arrive, also long after the process is gone. A machine without power sends nothing, not even the news.
/// </summary>
internal sealed class Link
{
    private readonly SimNetwork _network;
    private readonly Flow _toServer;
    private readonly Flow _toClient;
    private bool _over;

    public Link(SimNetwork network, Life client, Life server)
    {
        _network = network;
        _toServer = new Flow(network, client, server);
        _toClient = new Flow(network, server, client);
        ClientEnd = new LinkEnd(this, client, _toServer, _toClient);
        ServerEnd = new LinkEnd(this, server, _toClient, _toServer);
        client.AtDeath(() => Died(client, _toServer));
        server.AtDeath(() => Died(server, _toClient));
    }

    public LinkEnd ClientEnd { get; }

    public LinkEnd ServerEnd { get; }

    public string PeerOf(LinkEnd end) => (end == ClientEnd ? ServerEnd : ClientEnd).Owner.Name;

    private World World => _network.World;

    /// <summary>Sends, or breaks the connection before, within or after the bytes.</summary>
    public void Send(Life sender, Flow flow, ReadOnlyMemory<byte> bytes)
    {
        flow.ThrowIfBroken();
        (flow == _toServer ? _toClient : _toServer).ThrowIfBroken();
        if (_over)
        {
            // The sender has yet to hear of it. What it writes until then goes nowhere: a stream may end early, it has no holes.
            return;
        }
        if (!World.Chance(_network.Faults.Cut))
        {
            flow.Send(bytes);
            return;
        }
        int through = World.Random.Next(3) switch { 0 => 0, 1 => World.Random.Next(bytes.Length + 1), _ => bytes.Length };
        World.Trace.Say(sender.Part, $"connection cut after {through} of {bytes.Length} bytes");
        if (through > 0)
        {
            flow.Send(bytes[..through]);
        }
        Cut("connection reset by peer");
    }

    public void Cut(string why)
    {
        if (_over)
        {
            return;
        }
        _over = true;
        bool drop = World.Random.Next(2) == 0;
        _toServer.Break(why, SomeDelay(), drop);
        _toClient.Break(why, SomeDelay(), drop);
    }

    public void Closed(Flow written, Flow read)
    {
        if (!_over)
        {
            _over = true;
            written.End(World.Between(TimeSpan.Zero, _network.Faults.LatencyMax));
            // The closing side reads no more.
            read.Break("the connection is closed", TimeSpan.Zero, dropUnread: true);
        }
    }

    private void Died(Life who, Flow written)
    {
        if (_over)
        {
            return;
        }
        _over = true;
        TimeSpan news = who.Part.Machine.IsUp ? SomeDelay() : World.Between(TimeSpan.Zero, _network.Faults.SilenceMax);
        Flow read = written == _toServer ? _toClient : _toServer;
        read.Break("connection reset by peer", TimeSpan.Zero, dropUnread: true);
        if (World.Random.Next(2) == 0)
        {
            written.End(news);
        }
        else
        {
            written.Break("connection reset by peer", news, dropUnread: World.Random.Next(2) == 0);
        }
    }

    private TimeSpan SomeDelay() => World.Between(TimeSpan.Zero, World.Random.Next(4) == 0 ? TimeSpan.FromSeconds(2) : _network.Faults.LatencyMax * 2);
}
