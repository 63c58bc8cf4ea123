using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using LogPipeline.Protocol.Wire;
using LogPipeline.Storage;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Broker.Network;

// Socket.SendPacketsAsync sends memory and file regions in one go, the regions by sendfile(2). It wants a FileStream opened for
// asynchronous use; the stream made here wraps the segment's own handle, is never read and never disposed (its finalizer leaves the handle alone): the segment owns it.
/// <summary>Sends frames with file regions over one socket, one at a time.</summary>
internal sealed class FileRegionSender : IDisposable, IValueTaskSource
{
    private readonly ConditionalWeakTable<SafeFileHandle, FileStream> _streams = [];
    private readonly SocketAsyncEventArgs _arguments = new();
    private readonly Socket _socket;
    private ManualResetValueTaskSourceCore<bool> _sent = new() { RunContinuationsAsynchronously = true };

    public FileRegionSender(Socket socket)
    {
        _socket = socket;
        _arguments.Completed += (_, _) => _sent.SetResult(true);
    }

    /// <summary>Sends the whole frame.</summary>
    /// <exception cref="SocketException">The connection is gone.</exception>
    public async ValueTask SendAsync(FrameBuffer frame)
    {
        _arguments.SendPacketsElements = Elements(frame);
        _sent.Reset();
        if (_socket.SendPacketsAsync(_arguments))
        {
            await new ValueTask(this, _sent.Version);
        }
        if (_arguments.SocketError != SocketError.Success)
        {
            throw new SocketException((int)_arguments.SocketError);
        }
    }

    public void Dispose() => _arguments.Dispose();

    void IValueTaskSource.GetResult(short token) => _sent.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _sent.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _sent.OnCompleted(continuation, state, token, flags);

    private SendPacketsElement[] Elements(FrameBuffer frame)
    {
        var elements = new List<SendPacketsElement>(frame.Splices.Count * 2 + 1);
        int from = 0;
        foreach (FrameBuffer.Splice splice in frame.Splices)
        {
            if (splice.Position > from)
            {
                elements.Add(new SendPacketsElement(frame.Bytes[from..splice.Position]));
            }
            from = splice.Position;
            elements.Add(Element(splice.Records));
        }
        if (frame.Length > from)
        {
            elements.Add(new SendPacketsElement(frame.Bytes[from..]));
        }
        return [.. elements];
    }

    private SendPacketsElement Element(RecordSet records)
    {
        if (records.Source is not LogSlice slice)
        {
            return new SendPacketsElement(records.Memory);
        }
        if (slice.File?.Handle is { IsAsync: true } handle)
        {
            return new SendPacketsElement(_streams.GetValue(handle, Wrap), slice.Position, slice.Length);
        }
        byte[] copy = GC.AllocateUninitializedArray<byte>(slice.Length);
        slice.CopyTo(copy);
        return new SendPacketsElement(copy);
    }

    private static FileStream Wrap(SafeFileHandle handle) => new(handle, FileAccess.Read, bufferSize: 0, isAsync: true);
}
