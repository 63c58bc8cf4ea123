using System.Net;
using System.Net.Sockets;
using LogPipeline.Agent.Machine;
using LogPipeline.Agent.Sources;
using LogPipeline.Agent.State;
using LogPipeline.Testing.Files;
using LogPipeline.Testing.Logging;
using LogPipeline.Testing.Network;

namespace LogPipeline.Agent.Tests.Machine;

/// <summary>Real connections.</summary>
public sealed class SyslogSourceTests
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Connections_beyond_the_greatest_number_are_refused_counted_and_told_until_one_ends()
    {
        using var stop = new CancellationTokenSource();
        using var spool = new Spool(
            new MemoryFileSystem(new MemoryDisk(TimeProvider.System)), "/spool", 1 << 20, new DiskPause(TimeProvider.System, static fault => throw fault, default));
        var logger = new WarningLog();
        int port = Ports.Free();
        var source = new SyslogSource(new SyslogSourceOptions { Transport = SyslogTransport.Tcp, Address = "127.0.0.1", Port = port }, TimeProvider.System, logger);
        Task running = source.RunAsync(spool, stop.Token);
        var open = new List<Socket>();
        try
        {
            for (int i = 0; i < SyslogSource.ConnectionsMax; i++)
            {
                open.Add(await ConnectAsync(port));
            }
            for (int i = 0; i < 3; i++)
            {
                using Socket refused = await ConnectAsync(port);
                Assert.Equal(0, await ReceiveAsync(refused));
            }
            Assert.Equal(3, spool.Dropped);
            Assert.Contains("512 connections are open", spool.Limitation, StringComparison.Ordinal);
            Assert.Single(logger.Lines);

            open[0].Dispose();
            var grown = new TaskCompletionSource();
            spool.Grown = _ => grown.TrySetResult();
            while (!grown.Task.IsCompleted)
            {
                open.Add(await ConnectAsync(port)); // refused until the source has seen that one has ended
                await open[^1].SendAsync("<13>Nov 28 12:00:00 web app: taken\n"u8.ToArray());
                await Task.WhenAny(grown.Task, ReceiveAsync(open[^1])).WaitAsync(Within);
            }
            Assert.Null(spool.Limitation);
        }
        finally
        {
            await stop.CancelAsync();
            open.ForEach(static socket => socket.Dispose());
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running).WaitAsync(Within);
        }
    }

    /// <summary>Tries again until the source listens.</summary>
    private static async Task<Socket> ConnectAsync(int port)
    {
        using var late = new CancellationTokenSource(Within);
        while (true)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port, late.Token);
                return socket;
            }
            catch (SocketException)
            {
                socket.Dispose();
                await Task.Delay(10, late.Token);
            }
        }
    }

    /// <summary>Returns 0 when the connection was closed.</summary>
    private static async Task<int> ReceiveAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1]).WaitAsync(Within);
        }
        catch (SocketException)
        {
            return 0;
        }
    }
}
