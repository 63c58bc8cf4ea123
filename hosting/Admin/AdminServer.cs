using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LogPipeline.Hosting.Admin;

/// <summary>
/// Answers <c>GET /metrics</c>, <c>GET /healthz</c> and pages of the parts, one request a connection, without a web framework: the agent stays small.
/// One loop accepts; a connection has 5 s and 8 KiB for its request, at most 32 are served at a time, and a broken client loses only its
/// own connection.
/// </summary>
public sealed class AdminServer : IAsyncDisposable
{
    private const int RequestBytesMax = 8 << 10;
    private const int ConnectionsMax = 32;
    private static readonly TimeSpan RequestTime = TimeSpan.FromSeconds(5);

    private readonly TcpListener _listener;
    private readonly Func<AdminRequest, ValueTask<AdminResponse?>> _answer;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private int _serving; // moved by Interlocked

    /// <exception cref="SocketException">The address cannot be listened on.</exception>
    public AdminServer(IPEndPoint listen, Func<AdminRequest, ValueTask<AdminResponse?>> answer)
    {
        _answer = answer;
        _listener = new TcpListener(listen);
        _listener.Start();
        _loop = AcceptAsync();
    }

    public IPEndPoint Endpoint => (IPEndPoint)_listener.LocalEndpoint;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _loop;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                continue; // the client was gone before it was accepted
            }
            if (Interlocked.Increment(ref _serving) > ConnectionsMax)
            {
                Interlocked.Decrement(ref _serving);
                client.Dispose();
                continue;
            }
            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var time = new CancellationTokenSource(RequestTime, TimeProvider.System);
        try
        {
            using (client)
            {
                NetworkStream stream = client.GetStream();
                bool isLocal = client.Client.RemoteEndPoint is IPEndPoint { Address: var peer } && IPAddress.IsLoopback(peer);
                AdminResponse answer = await ReadTargetAsync(stream, time.Token) is { } target
                    ? await AnswerAsync(AdminRequest.Parse(target, isLocal), time.Token)
                    : new AdminResponse(400, "text/plain; charset=utf-8", "expected GET\n");
                await stream.WriteAsync(Encode(answer), time.Token);
                client.Client.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // The client left or was too slow; nobody reads an error.
        }
        finally
        {
            Interlocked.Decrement(ref _serving);
        }
    }

    private async Task<AdminResponse> AnswerAsync(AdminRequest request, CancellationToken cancellation)
        => await _answer(request).AsTask().WaitAsync(cancellation) ?? new AdminResponse(404, "text/plain; charset=utf-8", "try /metrics or /healthz\n");

    // Returns the target of a GET request whose head ends within the limit, else null.
    private static async Task<string?> ReadTargetAsync(NetworkStream stream, CancellationToken cancellation)
    {
        byte[] buffer = new byte[RequestBytesMax];
        int length = 0;
        while (length < buffer.Length)
        {
            int read = await stream.ReadAsync(buffer.AsMemory(length), cancellation);
            if (read == 0)
            {
                return null;
            }
            length += read;
            if (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
            {
                continue;
            }
            string[] words = Encoding.ASCII.GetString(buffer, 0, buffer.AsSpan().IndexOf((byte)'\r')).Split(' ');
            return words is ["GET", var target, _] ? target : null;
        }
        return null;
    }

    private static byte[] Encode(AdminResponse answer)
    {
        byte[] body = Encoding.UTF8.GetBytes(answer.Body);
        string reason = answer.Status switch { 200 => "OK", 400 => "Bad Request", 403 => "Forbidden", 404 => "Not Found", _ => "Service Unavailable" };
        string head = $"HTTP/1.1 {answer.Status} {reason}\r\nContent-Type: {answer.ContentType}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }
}

/// <summary>What a client asks for.</summary>
/// <param name="Path">Such as <c>/healthz</c>.</param>
/// <param name="Query">The values behind the question mark, decoded, by name.</param>
/// <param name="IsLocal">Whether the client is on this machine.</param>
public sealed record AdminRequest(string Path, IReadOnlyDictionary<string, string> Query, bool IsLocal)
{
    internal static AdminRequest Parse(string target, bool isLocal)
    {
        string[] halves = target.Split('?', 2);
        var query = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string pair in halves.Length == 2 ? halves[1].Split('&') : [])
        {
            string[] named = pair.Split('=', 2);
            query[Uri.UnescapeDataString(named[0])] = named.Length == 2 ? Uri.UnescapeDataString(named[1]) : "";
        }
        return new AdminRequest(halves[0], query, isLocal);
    }
}

public sealed record AdminResponse(int Status, string ContentType, string Body);
