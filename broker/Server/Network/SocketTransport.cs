using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using LogPipeline.Protocol.Wire;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Broker.Network;

// Sockets never block. A send is tried at once by the thread that makes it, a receive on the event loop's thread alone: a flush thread
// that answered hands the connection back to the loop. Where a call would block, its caller is parked and released on the loop's
// thread. _gate guards the fields below it, and is never held during a wait. A receive that left room in its buffer emptied the
// socket, so the next one waits for an event without asking (the end of the stream is sticky: it may come with the last bytes).
// How a frame leaves: one send when it has no splices, or only ones worth copying; else its bytes by send and its large regions of
// segment files by sendfile(2).
/// <summary>A TCP connection.</summary>
internal sealed class SocketTransport : IConnectionTransport, IRecordSender
{
    /// <summary>File regions up to this size are read and sent with the rest: cheaper than a sendfile of their own.</summary>
    private const int CopyUpTo = 16 * 1024;

    /// <summary>Bytes that one connection may take in before the others of its loop have their turn.</summary>
    private const int ShareOfTurn = 512 * 1024;

    private readonly Socket _socket;
    private readonly SafeHandle _handle;
    private readonly EventLoop _loop;
    private readonly long _number;

    private readonly CancellationTokenSource _gone = new();
    private readonly Lock _gate = new();
    private readonly SocketSignal _received = new();
    private readonly SocketSignal _writable = new();
    private Memory<byte> _receiving;
    private bool _isReceiving;
    private bool _isSendParked;
    private bool _mayRead; // an event says when
    private bool _mayWrite = true;
    private bool _isEnding;
    private bool _isAborted;
    private int _share = ShareOfTurn;
    private volatile bool _hasMoved = true;

    public SocketTransport(Socket socket, EventLoop loop)
    {
        _socket = socket;
        _socket.NoDelay = true;
        _socket.Blocking = false;
        _handle = socket.SafeHandle;
        _loop = loop;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        _number = loop.Add(this, _handle);
    }

    public EndPoint? LocalEndPoint { get; }

    public EndPoint? RemoteEndPoint { get; }

    public CancellationToken Gone => _gone.Token;

    /// <summary>Whether a byte came or went since the last call. One caller.</summary>
    public bool HasMoved()
    {
        bool hasMoved = _hasMoved;
        _hasMoved = false;
        return hasMoved;
    }

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isAborted, this);
            bool isLoop = _loop.IsCurrent;
            bool isTurnOver = isLoop && _share <= 0;
            if (isLoop && !isTurnOver && TryReceive(buffer.Span, out int received))
            {
                return ValueTask.FromResult(received);
            }
            (_receiving, _isReceiving) = (buffer, true);
            ValueTask<int> parked = _received.Arm();
            if (isTurnOver)
            {
                _loop.Again(this);
            }
            else if (!isLoop && _mayRead)
            {
                _loop.TellAgain(_number, _handle);
            }
            return parked;
        }
    }

    public ValueTask SendAsync(FrameBuffer frame, CancellationToken cancellation)
    {
        if (frame.Splices.Count == 0)
        {
            return SendAllAsync(frame.Bytes);
        }
        return IsWorthSendFile(frame) ? SendPartsAsync(frame) : SendCopyAsync(frame);
    }

    /// <summary>The loop: what epoll says of the socket.</summary>
    public void OnEvents(uint flags)
    {
        bool isSendFree;
        lock (_gate)
        {
            bool hasFailed = (flags & (SocketCalls.EventError | SocketCalls.EventHangUp)) != 0;
            _isEnding |= hasFailed || (flags & SocketCalls.EventPeerClosed) != 0;
            _mayRead |= (flags & SocketCalls.EventIn) != 0 || _isEnding;
            _mayWrite |= (flags & SocketCalls.EventOut) != 0 || hasFailed;
            isSendFree = _isSendParked && _mayWrite;
            _isSendParked &= !isSendFree;
        }
        if (isSendFree)
        {
            _writable.Set(0);
        }
        OnTurn();
        if ((flags & (SocketCalls.EventPeerClosed | SocketCalls.EventError | SocketCalls.EventHangUp)) != 0)
        {
            _gone.Cancel();
        }
    }

    /// <summary>The loop: this connection's turn to receive.</summary>
    public void OnTurn()
    {
        int received = 0;
        SocketException? failure = null;
        lock (_gate)
        {
            _share = ShareOfTurn;
            if (!_isReceiving)
            {
                return;
            }
            try
            {
                if (!TryReceive(_receiving.Span, out received))
                {
                    return;
                }
            }
            catch (SocketException e)
            {
                failure = e;
            }
            (_receiving, _isReceiving) = (default, false);
        }
        if (failure is null)
        {
            _received.Set(received);
        }
        else
        {
            _received.Fail(failure);
        }
    }

    public void Abort()
    {
        bool wasReceiving;
        bool wasSending;
        lock (_gate)
        {
            if (_isAborted)
            {
                return;
            }
            _isAborted = true;
            (wasReceiving, wasSending) = (_isReceiving, _isSendParked);
            (_receiving, _isReceiving, _isSendParked) = (default, false, false);
        }
        _loop.Remove(_number);
        _socket.Dispose();
        var cause = new ObjectDisposedException(nameof(SocketTransport));
        if (wasReceiving)
        {
            _received.Fail(cause);
        }
        if (wasSending)
        {
            _writable.Fail(cause);
        }
        _gone.Cancel();
    }

    public ValueTask DisposeAsync()
    {
        Abort();
        return ValueTask.CompletedTask;
    }

    // Under _gate.
    private unsafe bool TryReceive(Span<byte> buffer, out int received)
    {
        received = 0;
        if (!_mayRead)
        {
            return false;
        }
        nint count;
        int errno;
        fixed (byte* first = buffer)
        {
            do
            {
                count = SocketCalls.recv(_handle, first, buffer.Length, 0);
                errno = count < 0 ? Marshal.GetLastPInvokeError() : 0;
            }
            while (errno == SocketCalls.Interrupted);
        }
        _mayRead = _isEnding || count == buffer.Length;
        if (errno == SocketCalls.TryAgain)
        {
            return false;
        }
        received = errno == 0 ? (int)count : throw new SocketException(errno);
        _share -= received;
        _hasMoved = true;
        return true;
    }

    private ValueTask SendAllAsync(ReadOnlyMemory<byte> bytes)
    {
        int sent = Send(bytes.Span, 0);
        return sent == bytes.Length ? ValueTask.CompletedTask : SendRestAsync(bytes[sent..], 0);
    }

    private async ValueTask SendRestAsync(ReadOnlyMemory<byte> bytes, int flags)
    {
        while (bytes.Length > 0)
        {
            await WritableAsync();
            bytes = bytes[Send(bytes.Span, flags)..];
        }
    }

    private async ValueTask SendCopyAsync(FrameBuffer frame)
    {
        using var whole = new FrameBuffer();
        frame.CopyTo(whole.Append(frame.TotalLength));
        await SendAllAsync(whole.Bytes);
    }

    private async ValueTask SendPartsAsync(FrameBuffer frame)
    {
        int from = 0;
        foreach (FrameBuffer.Splice splice in frame.Splices)
        {
            await SendPartAsync(frame.Bytes[from..splice.Position], SocketCalls.More);
            from = splice.Position;
            await splice.Records.SendAsync(this);
        }
        await SendPartAsync(frame.Bytes[from..], 0);
    }

    private ValueTask SendPartAsync(ReadOnlyMemory<byte> bytes, int flags)
    {
        int sent = bytes.Length == 0 ? 0 : Send(bytes.Span, flags);
        return sent == bytes.Length ? ValueTask.CompletedTask : SendRestAsync(bytes[sent..], flags);
    }

    ValueTask IRecordSender.SendAsync(ReadOnlyMemory<byte> bytes) => SendPartAsync(bytes, 0);

    async ValueTask IRecordSender.SendFileAsync(SafeFileHandle file, long position, int length)
    {
        for (long end = position + length; position < end;)
        {
            position += SendFile(file, position, (int)(end - position));
            if (position < end)
            {
                await WritableAsync();
            }
        }
    }

    /// <summary>Completes when the socket has room again.</summary>
    private ValueTask<int> WritableAsync()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isAborted, this);
            if (_mayWrite)
            {
                return ValueTask.FromResult(0);
            }
            _isSendParked = true;
            return _writable.Arm();
        }
    }

    /// <summary>Bytes that the socket took, fewer than given when it is full.</summary>
    private unsafe int Send(ReadOnlySpan<byte> bytes, int flags)
    {
        fixed (byte* first = bytes)
        {
            Volatile.Write(ref _mayWrite, false);
            nint sent = SocketCalls.send(_handle, first, bytes.Length, flags | SocketCalls.NoSignal);
            return Sent(sent, bytes.Length);
        }
    }

    private unsafe int SendFile(SafeFileHandle file, long position, int length)
    {
        Volatile.Write(ref _mayWrite, false);
        nint sent = SocketCalls.sendfile(_handle, file, &position, length);
        return sent == 0 ? throw new IOException("A segment file has become shorter than its log.") : Sent(sent, length);
    }

    // Room that came while the call ran has set _mayWrite by its event; a socket that took all may have more.
    private int Sent(nint sent, int wanted)
    {
        int errno = sent < 0 ? Marshal.GetLastPInvokeError() : 0;
        if (errno is not (0 or SocketCalls.TryAgain or SocketCalls.Interrupted))
        {
            throw new SocketException(errno);
        }
        if (sent == wanted || errno == SocketCalls.Interrupted)
        {
            Volatile.Write(ref _mayWrite, true);
        }
        _hasMoved |= sent > 0;
        return (int)Math.Max(sent, 0);
    }

    private static bool IsWorthSendFile(FrameBuffer frame)
    {
        foreach (FrameBuffer.Splice splice in frame.Splices)
        {
            if (splice.Records.Length > CopyUpTo)
            {
                return true;
            }
        }
        return false;
    }
}
