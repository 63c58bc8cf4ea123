using System.Buffers.Binary;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;
using LogPipeline.Simulation.Network;
using LogPipeline.Simulation.Parts;

namespace LogPipeline.Simulation.Checks;

/// <summary>
/// Reads requests and answers of one connection at the broker's side: which batches were acked, which offsets were shown. One
/// topic is enough for it, so partitions are told by number.
/// </summary>
internal sealed class WireWitness(AckLedger ledger) : IWireWitness
{
    private readonly Dictionary<int, Asked> _asked = [];
    private byte[] _inbound = new byte[4096];
    private int _length;

    public void Received(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _inbound.Length - _length)
        {
            Array.Resize(ref _inbound, Math.Max(_inbound.Length * 2, _length + bytes.Length));
        }
        bytes.CopyTo(_inbound.AsSpan(_length));
        _length += bytes.Length;
        int at = 0;
        while (_length - at >= 4)
        {
            int size = BinaryPrimitives.ReadInt32BigEndian(_inbound.AsSpan(at));
            if (size < 0 || size > _length - at - 4)
            {
                break;
            }
            Request(_inbound.AsMemory(at + 4, size));
            at += 4 + size;
        }
        _inbound.AsSpan(at, _length - at).CopyTo(_inbound);
        _length -= at;
    }

    public void Sending(ReadOnlyMemory<byte> frames)
    {
        while (frames.Length > 0)
        {
            int size = BinaryPrimitives.ReadInt32BigEndian(frames.Span);
            Answer(frames.Slice(4, size));
            frames = frames[(4 + size)..];
        }
    }

    private void Answer(ReadOnlyMemory<byte> body)
    {
        if (!_asked.Remove(BinaryPrimitives.ReadInt32BigEndian(body.Span), out Asked asked) || asked.TopicNumber != ledger.TopicNumber)
        {
            return;
        }
        if (asked.Produced is not null)
        {
            Acked(asked.Produced, Frames.ReadResponse<ProduceResponse>(ProduceRequest.Api, body, asked.Version));
        }
        else
        {
            Shown(Frames.ReadResponse<FetchResponse>(FetchRequest.Api, body, asked.Version));
        }
    }

    private void Request(ReadOnlyMemory<byte> frame)
    {
        var key = (ApiKey)BinaryPrimitives.ReadInt16BigEndian(frame.Span);
        if (key is not (ApiKey.Produce or ApiKey.Fetch))
        {
            return;
        }
        RequestHeader header = Frames.ReadRequestHeader(frame, out int size);
        if (header.ClientId == ForeignProducer.ClientId)
        {
            return; // another topic, with a ledger of its own
        }
        Dictionary<int, BatchKey>? produced = null;
        if (key == ApiKey.Produce)
        {
            ProduceRequest request = Frames.ReadRequest<ProduceRequest, ProduceResponse>(frame[size..], header.Version);
            produced = [];
            foreach (ProduceRequest.TopicDataEntry.PartitionDataEntry? partition in request.TopicData.SelectMany(static topic => topic.PartitionData))
            {
                if (BatchHeader.TryParse(partition.Records.Memory.Span, out BatchHeader batch))
                {
                    produced[partition.Index] = BatchKey.Of(batch);
                }
            }
        }
        _asked[header.CorrelationId] = new Asked(header.Version, ledger.TopicNumber, produced);
    }

    private void Acked(Dictionary<int, BatchKey> produced, ProduceResponse response)
    {
        foreach (ProduceResponse.Response.PartitionResponse? partition in response.Responses.SelectMany(static topic => topic.PartitionResponses))
        {
            if (partition is { ErrorCode: ErrorCode.None, BaseOffset: >= 0 } && produced.TryGetValue(partition.Index, out BatchKey batch))
            {
                ledger.Acked(partition.Index, partition.BaseOffset, batch);
            }
        }
    }

    private void Shown(FetchResponse response)
    {
        foreach (FetchResponse.Response.Partition? partition in response.Responses.SelectMany(static topic => topic.Partitions))
        {
            ReadOnlySpan<byte> records = partition.Records.Memory.Span;
            while (BatchHeader.TryParse(records, out BatchHeader batch) && batch.SizeInBytes <= records.Length)
            {
                ledger.ShownBatch(partition.PartitionIndex, batch.BaseOffset, RecordBatch.CrcIsValid(records[..batch.SizeInBytes]));
                ledger.Shown(partition.PartitionIndex, batch.NextOffset);
                records = records[batch.SizeInBytes..];
            }
        }
    }

    private readonly record struct Asked(short Version, int TopicNumber, Dictionary<int, BatchKey>? Produced);
}
