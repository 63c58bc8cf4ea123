using LogPipeline.Broker.Conversion;
using LogPipeline.Broker.Fetching;
using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Requests;

// A fetch that finds less than MinBytes hangs one signal on its partitions, set when a high watermark moves, MaxWaitMs is up or the
// client has gone, and then reads again. The signal is armed before each reading, so nothing that comes meanwhile is missed. For a
// client that knows only format 0 or 1, what is enough is converted, once.
/// <summary>Fetch: reads record batches as they lie in the segments.</summary>
internal sealed class FetchHandler(
    TopicRegistry topics, BrokerSettings settings, FetchSessions sessions, FetchConversion conversion, TimeProvider time)
    : RequestHandler<FetchRequest, FetchResponse>
{
    protected override async ValueTask<FetchResponse?> AnswerAsync(
        FetchRequest request, RequestContext context, CancellationToken cancellation)
    {
        var version = new FetchVersion(context.Version);
        ErrorCode error = sessions.Begin(request, version.HasTopicIds, out FetchTurn turn);
        if (error != ErrorCode.None)
        {
            return new FetchResponse { ErrorCode = error };
        }
        if (version.IsConverted || IsCold(turn))
        {
            await Task.Yield(); // converting, or reading an index, takes long: not on the thread that serves other connections too
        }
        FetchPass pass = await ReadAsync(turn, request, context, isLast: request.MaxWaitMs <= 0, cancellation);
        if (!IsEnough(pass, turn, request) && request.MaxWaitMs > 0)
        {
            pass.Dispose();
            pass = await ReadWhenThereIsMoreAsync(turn, request, context, cancellation);
        }
        return Answer(turn, pass, version);
    }

    // Reads, and converts if this will be the answer.
    private ValueTask<FetchPass> ReadAsync(
        FetchTurn turn, FetchRequest request, RequestContext context, bool isLast, CancellationToken cancellation)
    {
        var version = new FetchVersion(context.Version);
        var pass = new FetchPass(topics, turn, request, version, settings.FetchBytesMax);
        return version.OldFormat is { } magic && (isLast || IsEnough(pass, turn, request))
            ? ConvertAsync(pass, magic, cancellation)
            : new(pass);
    }

    private async ValueTask<FetchPass> ConvertAsync(FetchPass pass, sbyte magic, CancellationToken cancellation)
    {
        try
        {
            await conversion.ConvertAsync(pass, magic, cancellation);
            return pass;
        }
        catch
        {
            pass.Dispose();
            throw;
        }
    }

    private static bool IsEnough(FetchPass pass, FetchTurn turn, FetchRequest request) =>
        pass.IsUrgent || pass.Bytes >= request.MinBytes || turn.Partitions.Count == 0;

    private async ValueTask<FetchPass> ReadWhenThereIsMoreAsync(
        FetchTurn turn, FetchRequest request, RequestContext context, CancellationToken cancellation)
    {
        var signal = new ReadSignal();
        TimeSpan wait = TimeSpan.FromMilliseconds(request.MaxWaitMs);
        HashSet<WaitingReaders> hooks = Hooks(turn);
        foreach (WaitingReaders hook in hooks)
        {
            hook.Add(signal);
        }
        await using ITimer timer = time.CreateTimer(static state => ((ReadSignal)state!).Expire(), signal, wait, Timeout.InfiniteTimeSpan);
        CancellationToken gone = context.Connection.Gone;
        using CancellationTokenRegistration stopping = cancellation.UnsafeRegister(static state => ((ReadSignal)state!).Set(), signal);
        using CancellationTokenRegistration leaving = gone.UnsafeRegister(static state => ((ReadSignal)state!).Set(), signal);
        try
        {
            while (true)
            {
                signal.Reset();
                bool isLast = signal.IsExpired || gone.IsCancellationRequested;
                FetchPass pass = await ReadAsync(turn, request, context, isLast, cancellation);
                if (isLast || IsEnough(pass, turn, request))
                {
                    return pass;
                }
                pass.Dispose();
                await signal.Task;
                cancellation.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            foreach (WaitingReaders hook in hooks)
            {
                hook.Remove(signal);
            }
        }
    }

    private bool IsCold(FetchTurn turn)
    {
        foreach (FetchPartition asked in turn.Partitions)
        {
            if (Find(asked.Key)?.Log?.IsCold(asked.Offset) == true)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Where to hang the signal: once at each partition, even if the request names it many times.</summary>
    private HashSet<WaitingReaders> Hooks(FetchTurn turn)
    {
        var hooks = new HashSet<WaitingReaders>(turn.Partitions.Count);
        foreach (FetchPartition partition in turn.Partitions)
        {
            if (Find(partition.Key) is { } served)
            {
                hooks.Add(served.Readers);
            }
        }
        return hooks;
    }

    private Partition? Find(FetchKey key) =>
        (key.TopicId != Guid.Empty ? topics.Find(key.TopicId) : topics.Find(key.Topic))?.Partition(key.Partition);

    private static FetchResponse Answer(FetchTurn turn, FetchPass pass, FetchVersion version)
    {
        var response = new FetchResponse { SessionId = turn.Session?.Id ?? 0 };
        IEnumerable<FetchedPartition> told = turn.Session is null ? pass.Partitions : turn.Session.News(pass.Partitions, turn.IsFull);
        FetchResponse.Response? last = null;
        foreach (FetchedPartition partition in told)
        {
            FetchKey key = partition.Asked.Key;
            if (last is null || last.TopicId != key.TopicId || last.Topic != key.Topic)
            {
                last = new FetchResponse.Response { Topic = key.Topic, TopicId = key.TopicId };
                response.Responses.Add(last);
            }
            partition.Answer.ErrorCode = version.Told(partition.Answer.ErrorCode);
            last.Partitions.Add(partition.Answer);
        }
        return response;
    }
}
