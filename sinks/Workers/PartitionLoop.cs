using LogPipeline.Client;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query.Live;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Workers;

/// <summary>What all partitions of a sink work with.</summary>
internal sealed record PartitionTools(
    SinkOptions Options, SinkEnvironment Environment, LedgerClaims Claims, Flusher Flusher, Waits Waits, FlushPace Pace, RowPool Pool, ILineParser Parser);

/// <summary>
/// One assigned partition, from its first claim to its last flush. Claims, then takes rows from its feed and flushes them, one flush after
/// another; on a fault it claims again, since only the ledger knows what was stored.
/// </summary>
internal sealed class PartitionLoop : IDisposable
{
    /// <summary>After another member has claimed. Longer than a heartbeat, so that a sink which is no longer a member learns it before it claims again.</summary>
    private static readonly TimeSpan RivalDelay = TimeSpan.FromSeconds(5);

    private const long Unknown = long.MinValue;

    private readonly PartitionTools _tools;
    private readonly SinkFilter? _filter;
    private readonly CancellationToken _abandoned;
    private readonly CancellationTokenSource _released;
    private Claim? _claim;
    private long _taken = Unknown;
    private long _storedUpTo = Unknown;

    /// <param name="wakePoll">Called when the poll loop is to look at its partitions.</param>
    /// <param name="stop">Ends claims; the feed's end is what ends flushes.</param>
    /// <param name="abandoned">Cancels a flush that is under way.</param>
    public PartitionLoop(TopicPartition partition, PartitionTools tools, Action wakePoll, CancellationToken stop, CancellationToken abandoned)
    {
        (Partition, _tools, _abandoned) = (partition, tools, abandoned);
        _filter = SinkFilter.Of(tools.Parser);
        _released = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Feed = new PartitionFeed(partition, tools.Options.Flush, tools.Pace, tools.Pool, tools.Environment.Time, wakePoll, tools.Environment.Pauses);
    }

    public TopicPartition Partition { get; }

    public PartitionFeed Feed { get; }

    /// <summary>The claim and the ledger row as this loop left it; null while it is claiming. Any thread may ask.</summary>
    public Claim? Claim => Volatile.Read(ref _claim);

    /// <summary>
    /// The timestamp of the first record that was polled and is not stored, milliseconds since 1970; null when there is none. It outlasts a flush
    /// that failed, whose records are polled again. Any thread may ask.
    /// </summary>
    public long? OldestUnstored => Interlocked.Read(ref _taken) is var taken and not Unknown ? taken : Feed.Oldest;

    /// <summary>What the ledger said last: up to here all is stored; null before the first claim. It outlasts a claim that was lost. Any thread may ask.</summary>
    public long? StoredUpTo => Interlocked.Read(ref _storedUpTo) is var offset and not Unknown ? offset : null;

    /// <summary>Done when the loop has ended; faulted when it met what no waiting mends.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    public void Start() => Ended = RunAsync();

    /// <summary>The partition goes away: a flush under way ends, nothing else begins.</summary>
    public void Release()
    {
        Feed.End(drops: true);
        _released.Cancel();
    }

    public void Dispose() => _released.Dispose();

    private async Task RunAsync()
    {
        try
        {
            await WorkAsync();
        }
        catch (OperationCanceledException) when (_released.IsCancellationRequested || _abandoned.IsCancellationRequested)
        {
            // Released, or the process ends: a transaction under way was not committed, or the next start reads its outcome.
        }
        finally
        {
            Feed.Close();
            _tools.Waits.Over(Partition);
        }
    }

    private async Task WorkAsync()
    {
        int failures = 0; // flushes in a row
        while (true)
        {
            TimeSpan delay;
            try
            {
                Claim claim = await _tools.Waits.UntilDoneAsync(Partition, cancellation => _tools.Claims.TakeAsync(Partition, cancellation), _released.Token);
                Opened(claim, isWorking: failures == 0);
                while (await Feed.TakeAsync() is { } work)
                {
                    Interlocked.Exchange(ref _taken, work.Rows.Count > 0 ? work.Rows.Rows[0].Timestamp : Unknown);
                    Stored(await FlushAsync(Claim!, work));
                    failures = 0;
                }
                return;
            }
            catch (OwnershipLostException lost)
            {
                if (Claim is { } claim && await _tools.Claims.IsFreeAsync(claim.Entry.Log, _released.Token))
                {
                    delay = TimeSpan.Zero;
                    SinkLog.ClaimingAgain(_tools.Environment.Logger, _tools.Options.Name, Partition, "a change of the table took the ledger row from it");
                }
                else
                {
                    delay = RivalDelay + _tools.Waits.Delay(0);
                    SinkLog.OwnershipLost(_tools.Environment.Logger, _tools.Options.Name, lost.Message, delay);
                }
            }
            catch (LogMovedException moved)
            {
                delay = _tools.Waits.Delay(3);
                SinkLog.ClaimingAgain(_tools.Environment.Logger, _tools.Options.Name, Partition, moved.Message);
            }
            catch (StoreUnavailableException error)
            {
                delay = failures == 0 ? TimeSpan.Zero : _tools.Waits.Delay(failures);
                failures++;
                _tools.Waits.Waiting(Partition, error, delay);
            }
            Volatile.Write(ref _claim, null);
            Feed.Close();
            await Task.Delay(delay, _tools.Environment.Time, _released.Token);
        }
    }

    private void Opened(Claim claim, bool isWorking)
    {
        if (isWorking)
        {
            _tools.Waits.Over(Partition);
        }
        Hold(claim);
        SinkLog.Claimed(_tools.Environment.Logger, _tools.Options.Name, Partition, claim.Entry.NextOffset);
        Feed.Open(claim.Entry);
    }

    private void Hold(Claim claim)
    {
        Volatile.Write(ref _claim, claim);
        Interlocked.Exchange(ref _storedUpTo, claim.Entry.NextOffset);
    }

    private async Task<Claim> FlushAsync(Claim claim, FlushWork work)
    {
        try
        {
            // Off the transaction: while a store's lock is held nothing is parsed or filtered.
            _tools.Pool.Count(work.Rows.Parse(_tools.Parser));
            _filter?.Apply(work.Rows);
            await _tools.Flusher.FlushAsync(claim, work, _abandoned);
            SinkLog.Flushed(_tools.Environment.Logger, _tools.Options.Name, Partition, work.Rows.Count, work.NextOffset);
            return claim with { Entry = claim.Entry with { NextOffset = work.NextOffset, LeaderEpoch = work.LeaderEpoch } };
        }
        finally
        {
            Feed.Return(work);
        }
    }

    private void Stored(Claim claim)
    {
        Interlocked.Exchange(ref _taken, Unknown);
        Hold(claim);
        _tools.Waits.Over(Partition);
    }
}
