using LogPipeline.Agent.State;
using LogPipeline.Client;
using LogPipeline.Client.Metadata;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Records;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Shipping;

/// <summary>
/// Brings a log's window to rest after a start or a broken connection: at the end all that was under way is acked, once.
/// Roads:
/// <code>
///   another cluster or topic id   → everything unacked is sent to it anew, marked again
///   state damaged, fence noted    → fence and scan
///   the log ends below what was acked → fence and scan, acked entries too
///   the broker knows our producer → L = last sequence appended: send the entry that ends at L again, its error 0 acks it
///                                   and all before; then the rest in order, unless it was sent to an earlier leader
///   45, 46                        → ask again, at most three times without progress
///   anything that does not fit    → fence and scan
/// </code>
/// </summary>
internal sealed class Settlement(LogWindow window, Fencing fencing, AgentState state, bool damaged, ILogger logger)
{
    private const int AsksMax = 3;

    private bool _damaged = damaged;

    /// <summary>The entry a broker refused for good while it was shipped, if that is why the log is settled.</summary>
    public Refusal? Refused { get; set; }

    public async Task SettleAsync(LogLink link, CancellationToken cancellation)
    {
        if (window.Record.Identity.ClusterId is { Length: > 0 } && window.Record.Identity != link.Identity)
        {
            logger.LogReplaced(window.Key.Topic, window.Key.Partition);
            await fencing.StartAnewAsync(link, cancellation);
        }
        else if (_damaged)
        {
            await fencing.RunAsync(link, "the in-flight state is damaged", FenceScope.Everything, null, cancellation);
        }
        else if (state.Inflight.FenceOf(window.Key) is not null)
        {
            await fencing.RunAsync(link, "a fence was begun before", FenceScope.WithRetained, null, cancellation);
        }
        else if (await IsCutAsync(link, cancellation))
        {
            await fencing.RunAsync(link, "acked records are gone from the log", FenceScope.WithRetained, null, cancellation);
        }
        _damaged = false;
        int asks = 0;
        while (await StepAsync(link, cancellation) is not Verdict.AtRest and Verdict verdict)
        {
            if (verdict == Verdict.Progress)
            {
                asks = 0;
            }
            else if (++asks >= AsksMax)
            {
                await fencing.RunAsync(link, "its sequences do not fit the log", FenceScope.Unacked, null, cancellation);
                asks = 0;
            }
        }
    }

    private enum Verdict
    {
        AtRest,

        /// <summary>Something changed: look again.</summary>
        Progress,

        /// <summary>The broker's answers contradict each other: look again, but not for ever.</summary>
        AskAgain,
    }

    /// <summary>
    /// Whether the log lost what was known to be in it. A leader that goes on under the same epoch has lost nothing; under another
    /// one the old epoch ends where the log was cut, however much was appended since.
    /// </summary>
    private async Task<bool> IsCutAsync(LogLink link, CancellationToken cancellation)
    {
        LogEnd known = window.Record.End;
        LogEnd end = await link.EndAsync(cancellation);
        long? kept = end.LeaderEpoch >= 0 && end.LeaderEpoch == known.LeaderEpoch
            ? known.Offset
            : await link.EndOfEpochAsync(known.LeaderEpoch, cancellation);
        if (kept < known.Offset)
        {
            return true;
        }
        // A new leader's high watermark may be behind for a while.
        window.Record.Saw(kept is null ? end : end with { Offset = Math.Max(end.Offset, known.Offset) });
        return false;
    }

    private async Task<Verdict> StepAsync(LogLink link, CancellationToken cancellation)
    {
        while (window.Slots is [{ IsDoneWithoutSending: true } head, ..])
        {
            window.Ack(head.Entry, -1);
        }
        if (Refused is Refusal refused)
        {
            Refused = null;
            await fencing.RunAsync(link, $"a batch is refused ({refused.Error})", FenceScope.Unacked, refused, cancellation);
            return Verdict.Progress;
        }
        // What is not durable yet was never sent; it goes out when the log is shipped.
        List<InflightEntry> unacked = [.. window.Slots.TakeWhile(s => s.IsReady).Select(s => s.Entry).Where(e => e.RecordCount > 0)];
        if (unacked.Count == 0 && window.LastAckedProducer < 0)
        {
            return Verdict.AtRest;
        }
        if (unacked.Count > 0 && window.Writer is { Identity: not null, HasSent: false })
        {
            return await SendAsync(link, cancellation);
        }
        (string? misfit, FenceScope scope) = await AskAsync(link, unacked, cancellation);
        if (misfit is not null)
        {
            await fencing.RunAsync(link, misfit, scope, null, cancellation);
            return Verdict.Progress;
        }
        return unacked.Count == 0 ? Verdict.AtRest : await SendAsync(link, cancellation);
    }

    /// <summary>Asks what the broker has of our producer, and resumes there; returns what does not fit, or null.</summary>
    private async Task<(string? Misfit, FenceScope Scope)> AskAsync(LogLink link, List<InflightEntry> unacked, CancellationToken cancellation)
    {
        long producerId = unacked.Count > 0 ? unacked[0].ProducerId : window.LastAckedProducer;
        if (!link.Leader.CanDescribeProducers)
        {
            return unacked.Count == 0 ? default : ("the broker cannot describe producers", FenceScope.Unacked);
        }
        if (await link.Leader.ProducerAsync(producerId, cancellation) is not ActiveProducer seen)
        {
            return ("the broker does not know it", FenceScope.WithRetained);
        }
        short epoch = unacked.Count > 0 ? unacked[0].ProducerEpoch : window.Retained.LastOrDefault().ProducerEpoch;
        if (seen.Epoch != epoch)
        {
            return ($"the broker knows it under epoch {seen.Epoch}, not {epoch}", FenceScope.WithRetained);
        }
        int origin = window.LastAckedProducer == producerId ? window.LastAckedSequence : LogWindow.Before(unacked[0]);
        if (RecordBatch.SequenceDistance(origin, seen.LastSequence) < 0)
        {
            return ("acked records are gone from the log", FenceScope.WithRetained);
        }
        int? stored = seen.LastSequence == origin ? 0 : window.Writer.StoredOf(seen.LastSequence);
        IEnumerable<InflightEntry> missing = window.Slots.Skip(stored ?? 0).Select(s => s.Entry);
        if (missing.Any(e => e.IsSent))
        {
            // What the log does not have now an earlier leader may have shown to readers and lost: it must be marked again.
            LogEnd end = await link.EndAsync(cancellation);
            if (missing.Any(e => e.IsSentBefore(end.LeaderEpoch)))
            {
                return ("what it does not have was sent to an earlier leader", FenceScope.Unacked);
            }
        }
        if (stored is null)
        {
            return ($"its last sequence {seen.LastSequence} is none of ours", FenceScope.Unacked);
        }
        window.Writer.ResumeAt(stored.Value);
        return default;
    }

    /// <summary>Sends entries verbatim, one at a time, each acked before the next.</summary>
    private async Task<Verdict> SendAsync(LogLink link, CancellationToken cancellation)
    {
        while (window.Writer.Next(1) is WindowSlot slot)
        {
            InflightEntry entry = slot.Entry;
            ProduceAnswer answer;
            try
            {
                answer = await link.Leader.ProduceAsync(entry.Batch, cancellation);
            }
            finally
            {
                slot.IsInFlight = false;
            }
            switch (answer.Error)
            {
                case ErrorCode.None:
                    window.Ack(entry, answer.BaseOffset);
                    break;
                case ErrorCode.OutOfOrderSequenceNumber or ErrorCode.DuplicateSequenceNumber:
                    return Verdict.AskAgain;
                case ErrorCode.InvalidProducerEpoch or ErrorCode.ProducerFenced or ErrorCode.UnknownProducerId:
                    await fencing.RunAsync(link, $"the broker answers {answer.Error}", FenceScope.WithRetained, null, cancellation);
                    return Verdict.Progress;
                case var error when Refusal.IsForGood(error):
                    Refused = new Refusal(entry.Number, error);
                    return Verdict.Progress;
                default:
                    throw new BrokerErrorException(answer.Error, $"{answer.Error} {answer.Message}".TrimEnd());
            }
        }
        return Verdict.Progress;
    }
}

/// <summary>A batch that a broker will never take as it is.</summary>
internal readonly record struct Refusal(long EntryNumber, ErrorCode Error)
{
    public static bool IsForGood(ErrorCode error) =>
        error is ErrorCode.MessageTooLarge or ErrorCode.RecordListTooLarge or ErrorCode.InvalidRecord or ErrorCode.InvalidTimestamp;
}
