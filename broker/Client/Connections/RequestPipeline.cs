using System.Buffers.Binary;
using LogPipeline.Client.Telemetry;

namespace LogPipeline.Client.Connections;

/// <summary>
/// Requests of one stream: written whole and one after another by the caller that finds no writer at work, answered in the same order by
/// the read loop. <c>_gate</c> guards every field below it. The first failure, overdue answers included, breaks the stream and
/// fails all that wait with one <see cref="BrokerConnectionException"/>, in order; a request whose memory is being written fails
/// only after that write has ended, since its owner may then reuse the memory.
/// </summary>
internal sealed class RequestPipeline : IAsyncDisposable
{
    private readonly Stream _stream;
    private readonly FrameWriter _writer;
    private readonly BrokerEndpoint _endpoint;
    private readonly int _answerBytesMax;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private readonly Queue<PendingRequest> _queued = [];
    private readonly Queue<PendingRequest> _awaited = [];
    private PendingRequest? _writing;
    private bool _isWriting;
    private long _nextCheck = long.MaxValue;
    private BrokerConnectionException? _broken;
    private readonly TaskCompletionSource _whenBroken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _reading = Task.CompletedTask;

    public RequestPipeline(Stream stream, BrokerEndpoint endpoint, int answerBytesMax, TimeProvider time)
    {
        (_stream, _writer, _endpoint, _answerBytesMax, _time) = (stream, new FrameWriter(stream), endpoint, answerBytesMax, time);
        _timer = time.CreateTimer(static state => ((RequestPipeline)state!).CheckDeadlines(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public bool IsBroken
    {
        get
        {
            lock (_gate)
            {
                return _broken is not null;
            }
        }
    }

    /// <summary>Ends when the stream is broken.</summary>
    public Task WhenBroken => _whenBroken.Task;

    public void Start() => _reading = ReadAnswersAsync();

    /// <summary>Queues the request and writes it unless a writer is at work.</summary>
    public void Send(PendingRequest request)
    {
        BrokerConnectionException? broken;
        bool write = false;
        lock (_gate)
        {
            broken = _broken;
            if (broken is null)
            {
                _queued.Enqueue(request);
                Watch(request.Deadline);
                write = !_isWriting;
                _isWriting = true;
            }
        }
        if (broken is not null)
        {
            request.Frame.Dispose();
            request.Fail(new BrokerConnectionException(broken.Message, broken.InnerException));
        }
        else if (write)
        {
            _ = WriteQueuedAsync();
        }
    }

    /// <summary>Stops the waiting of one request; what is written stays written, what is queued is not sent.</summary>
    public void Cancel(PendingRequest request, CancellationToken ct)
    {
        lock (_gate)
        {
            request.IsCancelled = true;
            if (request.State == PendingRequest.Phase.Writing)
            {
                return;
            }
        }
        request.Cancel(ct);
    }

    /// <summary>Breaks the stream; the first reason counts.</summary>
    public void Break(string reason, Exception? cause = null)
    {
        List<PendingRequest> waiting = [];
        BrokerConnectionException broken;
        lock (_gate)
        {
            if (_broken is not null)
            {
                return;
            }
            _broken = broken = new BrokerConnectionException($"{_endpoint}: {reason}", cause);
            foreach (PendingRequest request in _awaited)
            {
                if (request != _writing)
                {
                    waiting.Add(request);
                }
            }
            waiting.AddRange(_queued);
            _awaited.Clear();
            _queued.Clear();
        }
        _timer.Dispose();
        _stream.Dispose();
        ClientMetrics.ConnectionsBroken.Add(1);
        _whenBroken.SetResult();
        foreach (PendingRequest request in waiting)
        {
            request.Frame.Dispose();
            request.Fail(new BrokerConnectionException(broken.Message, cause));
        }
    }

    public async ValueTask DisposeAsync()
    {
        Break("connection closed by us");
        await _reading;
    }

    private async Task WriteQueuedAsync()
    {
        while (TakeNext() is { } request)
        {
            try
            {
                await _writer.WriteAsync(request.Frame);
            }
            catch (Exception e)
            {
                Break(e is ObjectDisposedException ? "connection closed" : e.Message, e);
            }
            Written(request);
        }
    }

    private PendingRequest? TakeNext()
    {
        lock (_gate)
        {
            while (_broken is null && _queued.TryDequeue(out PendingRequest? request))
            {
                if (request.IsCancelled)
                {
                    request.Frame.Dispose();
                    continue;
                }
                request.State = PendingRequest.Phase.Writing;
                _writing = request;
                if (request.ExpectsAnswer)
                {
                    _awaited.Enqueue(request);
                }
                return request;
            }
            _isWriting = false;
            return null;
        }
    }

    private void Written(PendingRequest request)
    {
        BrokerConnectionException? broken;
        lock (_gate)
        {
            request.State = PendingRequest.Phase.Sent;
            _writing = null;
            broken = _broken;
        }
        ClientMetrics.BytesSent.Add(request.Frame.TotalLength);
        request.Frame.Dispose();
        if (broken is not null)
        {
            request.Fail(new BrokerConnectionException(broken.Message, broken.InnerException));
        }
        else if (request.IsCancelled)
        {
            request.Cancel(new CancellationToken(canceled: true));
        }
        else if (!request.ExpectsAnswer)
        {
            request.Complete(default, null);
        }
    }

    private async Task ReadAnswersAsync()
    {
        var receiver = new FrameReceiver(_stream);
        try
        {
            while (await receiver.SizeAsync() is >= 0 and int size)
            {
                await ReadAnswerAsync(receiver, size);
            }
            Break("the broker closed the connection");
        }
        catch (Exception e)
        {
            Break(e is ObjectDisposedException ? "connection closed" : e.Message, e);
        }
    }

    private async ValueTask ReadAnswerAsync(FrameReceiver receiver, int size)
    {
        PendingRequest? request;
        lock (_gate)
        {
            _awaited.TryPeek(out request);
        }
        if (size < 4 || size > _answerBytesMax || request is null)
        {
            throw new InvalidDataException(request is null ? "an answer that nobody asked for" : $"an answer of {size} bytes");
        }
        ClientMetrics.BytesReceived.Add(size + sizeof(int));
        FrameLease? lease = request.TakesLease ? FrameLease.Rent(size) : null;
        try
        {
            Memory<byte> frame = lease?.Memory ?? new byte[size];
            await receiver.FillAsync(frame);
            int correlationId = BinaryPrimitives.ReadInt32BigEndian(frame.Span);
            if (correlationId != request.CorrelationId)
            {
                throw new InvalidDataException($"an answer with correlation id {correlationId} where {request.CorrelationId} was due");
            }
            lock (_gate)
            {
                request.IsAnswered = true; // its caller may go on, and time pass, before it is dequeued
            }
            request.Complete(frame, lease);
        }
        finally
        {
            lease?.Release();
        }
        lock (_gate)
        {
            _awaited.TryDequeue(out _);
        }
    }

    /// <summary>Sets the timer for the earliest deadline. Called under the lock.</summary>
    private void Watch(long deadline)
    {
        if (deadline < _nextCheck)
        {
            _nextCheck = deadline;
            TimeSpan wait = _time.GetElapsedTime(_time.GetTimestamp(), deadline);
            _timer.Change(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    private void CheckDeadlines()
    {
        PendingRequest? overdue = null;
        lock (_gate)
        {
            _nextCheck = long.MaxValue;
            long now = _time.GetTimestamp();
            long earliest = long.MaxValue;
            foreach (PendingRequest request in _awaited.Concat(_queued).Where(static request => !request.IsAnswered))
            {
                overdue ??= request.Deadline <= now ? request : null;
                earliest = Math.Min(earliest, request.Deadline);
            }
            if (_broken is not null)
            {
                return;
            }
            if (overdue is null && earliest != long.MaxValue)
            {
                Watch(earliest);
            }
        }
        if (overdue is not null)
        {
            Break($"no answer to {overdue.Api.Key} within {overdue.Timeout.TotalSeconds:0.###} s");
        }
    }
}
