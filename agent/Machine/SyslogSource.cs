using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LogPipeline.Agent.Sources;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Machine;

/// <summary>
/// Listens for syslog by UDP, TCP or TLS. A connection is read on once what it gave is durable in the spool, so its sender waits while the spool is
/// full; a datagram that finds no room is dropped and counted. A connection beyond the greatest number of them is closed at once, told and
/// counted. Syslog has no acknowledgement: what a sender has written and this process has not read when it ends is lost unless the sender notices; what was read is taken at a clean stop.
/// </summary>
internal sealed class SyslogSource(SyslogSourceOptions options, TimeProvider time, ILogger logger) : RetriedSource(options.Name, time, logger)
{
    /// <summary>Connections that are open at once.</summary>
    internal const int ConnectionsMax = 512;

    private const int DatagramBytesMax = 64 << 10;
    private const int ReceiveBufferBytes = 4 << 20;

    private readonly HashSet<Task> _connections = [];

    /// <summary>Guards the count, and what the spool tells of it.</summary>
    private readonly Lock _gate = new();

    private int _open;

    protected override Task<string> FeedAsync(Spool spool, CancellationToken stopped) =>
        options.Transport == SyslogTransport.Udp ? ReceiveAsync(spool, stopped) : ListenAsync(spool, stopped);

    protected override bool IsPassing(Exception fault) =>
        fault is SocketException or IOException or CryptographicException or UnauthorizedAccessException;

    private IPEndPoint Endpoint => new(IPAddress.Parse(options.Address), options.Port);

    private async Task<string> ReceiveAsync(Spool spool, CancellationToken stopped)
    {
        using var socket = new Socket(Endpoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = ReceiveBufferBytes };
        socket.Bind(Endpoint);
        spool.Trouble = null;
        byte[] datagram = new byte[DatagramBytesMax];
        var lines = new ArrayBufferWriter<byte>();
        var peer = new SocketAddress(Endpoint.AddressFamily);
        SocketAddress? known = null;
        byte[] before = [];
        bool isDropping = false;
        while (true)
        {
            int length = await socket.ReceiveFromAsync(datagram.AsMemory(), SocketFlags.None, peer, stopped);
            if (options.KeepsPeer && !peer.Equals(known))
            {
                known = new SocketAddress(peer.Family, peer.Size);
                peer.Buffer[..peer.Size].CopyTo(known.Buffer);
                before = Before((IPEndPoint)Endpoint.Create(peer));
            }
            lines.ResetWrittenCount();
            SyslogFraming.Write(before, datagram.AsSpan(0, length), lines);
            bool isTaken = spool.TryAppend(lines.WrittenSpan);
            if (!isTaken && !isDropping)
            {
                Logger.SourceDrops(options.Name);
            }
            isDropping = !isTaken;
        }
    }

    private async Task<string> ListenAsync(Spool spool, CancellationToken stopped)
    {
        SslStreamCertificateContext? certificate = options.Transport == SyslogTransport.Tls ? LoadCertificate() : null;
        using var listener = new TcpListener(Endpoint);
        listener.Start();
        spool.Trouble = null;
        try
        {
            while (true)
            {
                TcpClient client = await listener.AcceptTcpClientAsync(stopped);
                _connections.RemoveWhere(static connection => connection.IsCompleted);
                if (!TryOpen(spool))
                {
                    client.Dispose();
                    continue;
                }
                _connections.Add(ServeAsync(client, certificate, spool, stopped));
            }
        }
        finally
        {
            if (stopped.IsCancellationRequested)
            {
                await Task.WhenAll(_connections); // each takes what it has read
            }
        }
    }

    /// <summary>Takes a place for a connection; false when there is none, which is told once, until a connection is closed.</summary>
    private bool TryOpen(Spool spool)
    {
        lock (_gate)
        {
            if (_open < ConnectionsMax)
            {
                _open++;
                return true;
            }
            spool.Refused();
            if (spool.Limitation is null)
            {
                spool.Limitation = $"{ConnectionsMax} connections are open, and further ones are refused";
                Logger.SourceSaid(options.Name, spool.Limitation);
            }
            return false;
        }
    }

    private void Close(Spool spool)
    {
        lock (_gate)
        {
            _open--;
            spool.Limitation = null;
        }
    }

    private SslStreamCertificateContext LoadCertificate()
    {
        using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(options.Certificate!, options.Key);
        X509Certificate2Collection chain = [];
        chain.ImportFromPemFile(options.Certificate!);
        // A key that came from PEM is not kept with its certificate on every platform; as PKCS #12 it is.
        return SslStreamCertificateContext.Create(X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pfx), null), chain, offline: true);
    }

    private async Task ServeAsync(TcpClient client, SslStreamCertificateContext? certificate, Spool spool, CancellationToken stopped)
    {
        EndPoint? peer = null;
        try
        {
            using (client)
            {
                peer = client.Client.RemoteEndPoint;
                client.Client.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
                await using Stream stream = certificate is null ? client.GetStream() : new SslStream(client.GetStream());
                if (stream is SslStream secure)
                {
                    await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = certificate }, stopped);
                }
                await StreamFeed.RunAsync(stream, new SyslogFraming(options.KeepsPeer && peer is IPEndPoint from ? Before(from) : []), spool, stopped);
            }
        }
        catch (Exception broken) when (broken is InvalidDataException or AuthenticationException)
        {
            Logger.SyslogPeerRefused(options.Name, peer?.ToString() ?? "?", broken.InnerException?.Message ?? broken.Message);
        }
        catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The sender left; what it gave is taken.
        }
        finally
        {
            Close(spool);
        }
    }

    /// <summary>A peer's address as it stands before its messages.</summary>
    private static byte[] Before(IPEndPoint peer) =>
        Encoding.ASCII.GetBytes($"{(peer.Address.IsIPv4MappedToIPv6 ? peer.Address.MapToIPv4() : peer.Address)} ");
}
