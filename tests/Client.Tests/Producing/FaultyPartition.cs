using System.Text;
using LogPipeline.Client.Tests.Connections;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Client.Tests.Producing;

/// <summary>
/// One partition that checks sequences as Apache Kafka does, with a window of five batches, and fails by chance: closes before or after the append,
/// answers retriable errors, refuses size, restarts and remembers one batch only, or fails over after it told what it has appended to a leader
/// that has only what was acknowledged.
/// </summary>
internal sealed class FaultyPartition : ScriptedBroker
{
    private readonly Random _random;
    private readonly bool _isIdempotent;
    private readonly List<(int First, int Last, long Offset)> _window = [];
    private long _producerId = -1;
    private short _epoch = -1;
    private int _faults;
    private int _acknowledged;
    private bool _hasMoved;

    public FaultyPartition(int seed, int faults, bool isIdempotent = true)
    {
        (_random, _faults, _isIdempotent) = (new Random(seed), faults, isIdempotent);
        Lead("t", partitions: 1);
        On<InitProducerIdRequest, InitProducerIdResponse>(_ => new InitProducerIdResponse { ProducerId = 7, ProducerEpoch = 0 });
        On<ProduceRequest, ProduceResponse>(Produce, newest: 9);
        On<DescribeProducersRequest, DescribeProducersResponse>(_ => Describe());
    }

    /// <summary>The values appended, in order.</summary>
    public List<string> Log { get; } = [];

    /// <summary>Answers the next request with this error and appends nothing.</summary>
    public ErrorCode RefuseNext { get; set; }

    /// <summary>How often what was told of was cut off afterwards.</summary>
    public int Cuts { get; private set; }

    private DescribeProducersResponse Describe()
    {
        var told = new DescribeProducersResponse
        {
            Topics = [new() { Name = "t", Partitions = [new() { ActiveProducers = _window.Count == 0 ? [] : [new() { ProducerId = _producerId, ProducerEpoch = _epoch, LastSequence = _window[^1].Last }] }] }],
        };
        if (_faults > 0 && Log.Count > _acknowledged && _random.Next(2) == 0)
        {
            _faults--;
            Cuts++;
            _hasMoved = true;
            Log.RemoveRange(_acknowledged, Log.Count - _acknowledged);
            _window.RemoveAll(w => w.Offset >= _acknowledged);
        }
        return told;
    }

    private ProduceResponse? Produce(ProduceRequest request)
    {
        int fault = _faults > 0 && _random.Next(3) == 0 ? _random.Next(6) : -1;
        _faults -= fault >= 0 ? 1 : 0;
        if (fault == 0)
        {
            return null;
        }
        ReadOnlyMemory<byte> batch = request.TopicData[0].PartitionData[0].Records.Memory;
        Assert.True(BatchHeader.TryParse(batch.Span, out BatchHeader header));
        Assert.True(RecordBatch.CrcIsValid(batch.Span));
        if (_hasMoved)
        {
            _hasMoved = false;
            return Answer(ErrorCode.NotLeaderOrFollower, -1);
        }
        if (RefuseNext != ErrorCode.None)
        {
            ErrorCode refusal = RefuseNext;
            RefuseNext = ErrorCode.None;
            return Answer(refusal, -1);
        }
        if (fault == 1)
        {
            return Answer(_random.Next(2) == 0 ? ErrorCode.NotLeaderOrFollower : ErrorCode.NotEnoughReplicas, -1);
        }
        if (fault == 2 && header.RecordCount > 1)
        {
            return Answer(ErrorCode.MessageTooLarge, -1);
        }
        ProduceResponse answer = Append(batch.Span, header);
        if (fault == 3)
        {
            _window.RemoveRange(0, Math.Max(0, _window.Count - 1));
        }
        if (fault is 3 or 4)
        {
            return null;
        }
        if (fault == 5)
        {
            return Answer(ErrorCode.RequestTimedOut, -1);
        }
        _acknowledged = answer.Responses[0].PartitionResponses[0].ErrorCode == ErrorCode.None ? Log.Count : _acknowledged;
        return answer;
    }

    private ProduceResponse Append(ReadOnlySpan<byte> batch, in BatchHeader header)
    {
        if (_isIdempotent)
        {
            int first = header.BaseSequence;
            if (header.ProducerEpoch < _epoch)
            {
                return Answer(ErrorCode.InvalidProducerEpoch, -1);
            }
            if (header.ProducerEpoch > _epoch)
            {
                if (_epoch >= 0 && first != 0)
                {
                    return Answer(ErrorCode.OutOfOrderSequenceNumber, -1);
                }
                (_producerId, _epoch) = (header.ProducerId, header.ProducerEpoch);
                _window.Clear();
            }
            int last = header.LastSequence;
            int known = _window.FindIndex(w => w.First == first && w.Last == last);
            if (known >= 0)
            {
                return Answer(ErrorCode.None, _window[known].Offset);
            }
            if (_window.Count > 0 && first != RecordBatch.Sequence(_window[^1].Last, 1))
            {
                return Answer(ErrorCode.OutOfOrderSequenceNumber, -1);
            }
            _window.Add((first, last, Log.Count));
            _window.RemoveRange(0, Math.Max(0, _window.Count - 5));
        }
        long offset = Log.Count;
        using var decoder = new BatchDecoder();
        var reader = new RecordReader(decoder.Records(batch, header), header);
        while (reader.Read())
        {
            Log.Add(Encoding.UTF8.GetString(reader.Value));
        }
        return Answer(ErrorCode.None, offset);
    }

    private static ProduceResponse Answer(ErrorCode code, long offset) => new()
    {
        Responses = [new() { Name = "t", PartitionResponses = [new() { ErrorCode = code, BaseOffset = offset }] }],
    };
}
