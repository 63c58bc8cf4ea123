using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Records.Legacy;

namespace LogPipeline.Broker.Conversion;

/// <summary>
/// The step before an append: a message set of format 0 or 1 becomes one batch of format 2, and a batch gets the codec that its topic wants.
/// It computes for long: not for a thread that serves other connections.
/// </summary>
internal sealed class AppendConversion(ConversionMemory memory, BrokerTelemetry telemetry)
{
    /// <summary>Whether a log cannot have the records as they came.</summary>
    /// <param name="header">The batch's header; of format 0 for a message set of either old format.</param>
    /// <param name="settings">The topic's.</param>
    public static bool IsNeeded(in BatchHeader header, RecordSettings settings) =>
        header.Magic != 2 || (settings.Codec is { } codec && codec != header.Codec);

    /// <summary>Makes the batch and hands it to <paramref name="append"/>; it may keep no reference.</summary>
    /// <param name="records">What the producer sent.</param>
    /// <param name="settings">The topic's.</param>
    /// <param name="batchBytesMax">The largest batch that the log takes, before and after.</param>
    /// <param name="append">Called once, or not at all where there is an error.</param>
    /// <param name="cancellation">Ends the wait for memory.</param>
    /// <returns>CorruptMessage, InvalidRecord or MessageTooLarge, and what is wrong with the records; None when they were handed on.</returns>
    public async ValueTask<(ErrorCode Error, string? Message)> ConvertAsync(
        ReadOnlyMemory<byte> records, RecordSettings settings, int batchBytesMax, Action<Memory<byte>> append, CancellationToken cancellation)
    {
        if (records.Length > batchBytesMax && BatchHeader.TryParse(records.Span, out _))
        {
            return (ErrorCode.MessageTooLarge, null);
        }
        bool isWhole = false;
        while (true)
        {
            using ConversionMemory.Lease lease = await memory.TakeAsync(isWhole, cancellation);
            try
            {
                Convert(records.Span, settings, new ConversionLimits(batchBytesMax, lease.BatchPlainBytesMax), append);
                return (ErrorCode.None, null);
            }
            catch (CorruptRecordException e) when (e.IsTooLong && !lease.IsWhole)
            {
                isWhole = true;
            }
            catch (CorruptRecordException e)
            {
                return (e.IsTooLong ? ErrorCode.MessageTooLarge : ErrorCode.CorruptMessage, e.Message);
            }
            catch (Exception e) when (e is InvalidRecordException or UnsupportedCompressionException)
            {
                return (ErrorCode.InvalidRecord, e.Message);
            }
        }
    }

    private void Convert(ReadOnlySpan<byte> records, RecordSettings settings, in ConversionLimits limits, Action<Memory<byte>> append)
    {
        if (!BatchHeader.TryParse(records, out BatchHeader header))
        {
            using var converter = new UpConverter();
            Memory<byte> made = converter.Convert(records, settings.Codec, settings.Level, in limits);
            telemetry.Converted(made.Length, "format_2");
            append(made);
            return;
        }
        using var recompressor = new BatchRecompressor();
        Memory<byte> packed = recompressor.Recompress(records, in header, settings.Codec ?? header.Codec, settings.Level, limits.PlainBytesMax);
        telemetry.Converted(packed.Length, "codec");
        append(packed);
    }
}
