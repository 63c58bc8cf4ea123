using System.Collections.Concurrent;
using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using LogPipeline.Files.Waiting;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Broker.Network;

// One thread in epoll_wait, edge-triggered: what a connection does when bytes come in (cut frames, append, answer) runs right here,
// with no hop to the thread pool; appends take microseconds and flushes are awaited. A connection that has had its share of a turn is
// put behind the others (_again, touched by the thread alone). The commit of what a turn's requests append begins at its end. A connection is known by a number that is never used twice, so an event
// that was under way when its socket closed finds nothing.
/// <summary>Tells connections when their sockets can be read or written.</summary>
internal sealed class EventLoop : IDisposable
{
    private const int EventsMax = 128;
    private const uint Both = SocketCalls.EventIn | SocketCalls.EventOut | SocketCalls.EventPeerClosed | SocketCalls.EdgeTriggered;

    private readonly SafeFileHandle _epoll;
    private readonly ConcurrentDictionary<long, SocketTransport> _connections = new();
    private readonly List<SocketTransport> _again = [];
    private readonly Action<Exception> _onFatal;
    private readonly Thread _thread;
    private readonly Socket _wake = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private long _lastNumber;
    private volatile bool _isStopping;

    public EventLoop(string name, Action<Exception> onFatal)
    {
        _onFatal = onFatal;
        _epoll = SocketCalls.epoll_create1(SocketCalls.EpollCloseOnExec);
        if (_epoll.IsInvalid)
        {
            throw Failure("epoll_create1");
        }
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Whether the caller runs on the loop's own thread.</summary>
    public bool IsCurrent => Thread.CurrentThread == _thread;

    /// <summary>Begins to watch a connection; returns the number by which it is removed.</summary>
    /// <exception cref="Win32Exception">The system has no watch left; the connection is not added.</exception>
    public long Add(SocketTransport connection, SafeHandle socket)
    {
        long number = Interlocked.Increment(ref _lastNumber);
        _connections[number] = connection;
        try
        {
            Watch(SocketCalls.EpollAdd, socket, number, Both);
            return number;
        }
        catch
        {
            Remove(number);
            throw;
        }
    }

    /// <summary>Makes epoll report the socket's state once more, if it is ready: how other threads hand a connection to the loop.</summary>
    public void TellAgain(long number, SafeHandle socket) => Watch(SocketCalls.EpollModify, socket, number, Both);

    public void Remove(long number) => _connections.TryRemove(number, out _);

    /// <summary>Calls the connection again after all others that are ready; on the loop's thread alone.</summary>
    public void Again(SocketTransport connection) => _again.Add(connection);

    /// <summary>Ends the thread, once its current turn is done.</summary>
    public void Dispose()
    {
        _isStopping = true;
        // A datagram socket can always be written: watching it is an event.
        Watch(SocketCalls.EpollAdd, _wake.SafeHandle, 0, SocketCalls.EventOut);
        if (!IsCurrent)
        {
            _thread.Join();
        }
        _wake.Dispose();
        _epoll.Dispose();
    }

    private unsafe void Watch(int operation, SafeHandle socket, long number, uint flags)
    {
        byte* description = stackalloc byte[16];
        EpollEvents.Write(new Span<byte>(description, 16), flags, number);
        if (SocketCalls.epoll_ctl(_epoll, operation, socket, description) != 0)
        {
            throw Failure("epoll_ctl");
        }
    }

    private void Run()
    {
        try
        {
            byte[] events = GC.AllocateArray<byte>(EventsMax * EpollEvents.Size, pinned: true);
            var turn = new List<SocketTransport>();
            while (!_isStopping)
            {
                int count = Wait(events, _again.Count > 0 ? 0 : -1);
                using Turn.Scope scope = Turn.Begin();
                turn.AddRange(_again);
                _again.Clear();
                for (int i = 0; i < count; i++)
                {
                    if (_connections.TryGetValue(EpollEvents.Data(events, i), out SocketTransport? connection))
                    {
                        connection.OnEvents(EpollEvents.Flags(events, i));
                    }
                }
                turn.ForEach(static connection => connection.OnTurn());
                turn.Clear();
            }
        }
        catch (Exception e)
        {
            _onFatal(e);
        }
    }

    private unsafe int Wait(byte[] events, int timeoutMs)
    {
        fixed (byte* first = events)
        {
            int count = SocketCalls.epoll_wait(_epoll, first, EventsMax, timeoutMs);
            return count >= 0 ? count : Marshal.GetLastPInvokeError() == SocketCalls.Interrupted ? 0 : throw Failure("epoll_wait");
        }
    }

    private static Win32Exception Failure(string call) => new(Marshal.GetLastPInvokeError(), $"{call} failed");
}
