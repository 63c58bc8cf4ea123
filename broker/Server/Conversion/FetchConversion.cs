using LogPipeline.Broker.Fetching;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Records.Legacy;
using LogPipeline.Protocol.Wire;
using LogPipeline.Storage;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Conversion;

/// <summary>
/// The step after a read, for clients that know only format 0 or 1. Apache Kafka converts while it sends and announces the size before; here
/// the records are converted first, so that their size is true. It computes for long: not for a thread that serves other connections.
/// </summary>
internal sealed class FetchConversion(ConversionMemory memory, BrokerTelemetry telemetry, ILogger logger)
{
    /// <summary>Converts what was found, partition by partition. What cannot be converted is an error of its partition alone.</summary>
    public async ValueTask ConvertAsync(FetchPass pass, sbyte magic, CancellationToken cancellation)
    {
        foreach (FetchedPartition partition in pass.Partitions)
        {
            if (partition.Answer.Records.Length > 0)
            {
                await ConvertAsync(partition, magic, cancellation);
            }
        }
        pass.Converted();
        telemetry.Converted(pass.Bytes, magic == 0 ? "format_0" : "format_1");
    }

    private async ValueTask ConvertAsync(FetchedPartition partition, sbyte magic, CancellationToken cancellation)
    {
        using IRecordSource found = partition.Answer.Records.Source!;
        partition.Answer.Records = default;
        bool isWhole = false;
        while (true)
        {
            using ConversionMemory.Lease lease = await memory.TakeAsync(isWhole, cancellation);
            try
            {
                Convert(partition, found, magic, lease.MessagesPlainBytesMax);
                return;
            }
            catch (CorruptRecordException e) when (e.IsTooLong && !lease.IsWhole)
            {
                isWhole = true;
            }
            catch (Exception e) when (e is CorruptRecordException or UnsupportedCompressionException or IOException)
            {
                Refuse(partition, e);
                return;
            }
        }
    }

    // A range of control batches alone converts to nothing, and its client would ask for it for ever: what lies behind is converted then.
    private static void Convert(FetchedPartition partition, IRecordSource found, sbyte magic, int plainBytesMax)
    {
        using var converter = new DownConverter();
        long next = Convert(converter, found, partition.Asked, magic, plainBytesMax);
        while (converter.Length == 0)
        {
            ErrorCode error = partition.Source!.Read(next, FetchPass.ConvertedReadBytesMax, wholeFirstBatch: true, out LogSlice slice);
            using (slice)
            {
                if (error != ErrorCode.None || slice.Length == 0)
                {
                    if (error != ErrorCode.None)
                    {
                        partition.Refuse(error);
                    }
                    return;
                }
                next = Convert(converter, slice, partition.Asked, magic, plainBytesMax);
            }
        }
        partition.Answer.Records = new RecordSet(converter.Take());
    }

    // Converts as much as the client asked for; returns where the next read goes on.
    private static long Convert(DownConverter converter, IRecordSource found, FetchPartition asked, sbyte magic, int plainBytesMax)
    {
        byte[] buffer = PooledBytes.Rent(found.Length);
        long next = asked.Offset;
        try
        {
            found.CopyTo(buffer);
            Span<byte> rest = buffer.AsSpan(0, found.Length);
            for (; BatchHeader.TryParse(rest, out BatchHeader header) && header.SizeInBytes <= rest.Length; rest = rest[header.SizeInBytes..])
            {
                Span<byte> batch = rest[..header.SizeInBytes];
                if (!RecordBatch.CrcIsValid(batch))
                {
                    throw new CorruptRecordException($"the checksum of the batch at offset {header.BaseOffset} is wrong");
                }
                if (!converter.TryAppend(batch, in header, magic, asked.Offset, asked.BytesMax, plainBytesMax))
                {
                    return next;
                }
                next = header.NextOffset;
            }
            return next;
        }
        catch (Exception e) when (converter.Length > 0 && (e is CorruptRecordException or UnsupportedCompressionException))
        {
            return next; // the client is told when it asks for this batch
        }
        finally
        {
            PooledBytes.Return(ref buffer);
        }
    }

    private void Refuse(FetchedPartition partition, Exception cause)
    {
        partition.Refuse(cause switch
        {
            CorruptRecordException { IsTooLong: true } => ErrorCode.MessageTooLarge,
            CorruptRecordException => ErrorCode.CorruptMessage,
            UnsupportedCompressionException => ErrorCode.UnsupportedCompressionType,
            _ => ErrorCode.KafkaStorageError,
        });
        if (cause is not UnsupportedCompressionException)
        {
            logger.NotConverted(partition.Source!.Topic, partition.Source.Number, partition.Asked.Offset, cause.Message);
        }
    }
}
