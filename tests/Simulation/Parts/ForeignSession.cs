using System.Buffers.Binary;
using System.Globalization;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Simulation.Checks;
using LogPipeline.Simulation.Kernel;

namespace LogPipeline.Simulation.Parts;

/// <summary>A batch whose fate is not known yet.</summary>
internal sealed class ForeignBatch(List<byte[]> values)
{
    public List<byte[]> Values { get; } = values;

    /// <summary>Sequence of its first record; -1 before it has one.</summary>
    public int Sequence { get; set; } = -1;

    public bool IsInFlight { get; set; }

    /// <summary>The log may have it: its answer was lost, or did not say.</summary>
    public bool IsUncertain { get; set; }
}

/// <summary>One producer id of a foreign producer: its batches in sequence order, and what it makes of the answers.</summary>
internal sealed class ForeignSession
{
    private readonly ForeignLedger _ledger;
    private readonly Life _life;
    private readonly long _producerId;
    private readonly bool _splits;
    private readonly List<ForeignBatch> _batches = []; // neither acknowledged nor given up
    private short _epoch;
    private int _nextSequence;
    private bool _mustBump;

    public ForeignSession(ForeignLedger ledger, Life life, long producerId, short epoch, int batches, bool splits)
    {
        (_ledger, _life, _producerId, _epoch, _splits) = (ledger, life, producerId, epoch, splits);
        for (int i = 0; i < batches; i++)
        {
            _batches.Add(new ForeignBatch([.. Enumerable.Range(0, life.Random.Next(1, 5)).Select(_ => MakeValue())]));
        }
    }

    public bool IsOver => _batches.Count == 0;

    /// <summary>
    /// The batch to be sent next; null while there is none. Before a new epoch all that is in flight is awaited, and what the log may
    /// have is sent once more: under the new epoch it would be stored again.
    /// </summary>
    public ForeignBatch? Next(int inFlight)
    {
        if (_mustBump)
        {
            if (_batches.Find(static batch => batch is { IsInFlight: false, IsUncertain: true }) is { } uncertain)
            {
                return uncertain;
            }
            if (inFlight > 0)
            {
                return null;
            }
            BumpEpoch();
        }
        ForeignBatch? next = _batches.Find(static batch => !batch.IsInFlight);
        if (next is { Sequence: < 0 })
        {
            next.Sequence = _nextSequence;
            _nextSequence += next.Values.Count;
        }
        return next;
    }

    public byte[] Encode(ForeignBatch batch)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1 << 16);
        foreach (byte[] value in batch.Values)
        {
            builder.TryAppend(_life.Time.GetUtcNow().ToUnixTimeMilliseconds(), value);
        }
        return builder.Build(_producerId, _epoch, batch.Sequence).ToArray();
    }

    /// <summary>What was in flight is sent again, in order.</summary>
    public void ConnectionLost()
    {
        foreach (ForeignBatch batch in _batches)
        {
            batch.IsUncertain |= batch.IsInFlight;
            batch.IsInFlight = false;
        }
    }

    public void Answered(ForeignBatch batch, ErrorCode error)
    {
        batch.IsInFlight = false;
        batch.IsUncertain = false;
        switch (error)
        {
            case ErrorCode.None:
            case ErrorCode.DuplicateSequenceNumber:
                Acked(batch, error);
                break;
            case ErrorCode.MessageTooLarge:
                TooLarge(batch);
                break;
            case ErrorCode.OutOfOrderSequenceNumber:
                // Behind an earlier batch that is to be sent again it says nothing; of the earliest it says that the sequences do not fit.
                _mustBump |= batch == _batches[0];
                break;
            case ErrorCode.InvalidProducerEpoch:
            case ErrorCode.InvalidRecord:
            case ErrorCode.CorruptMessage:
                _life.World.Fail("a producer sees no impossible error", $"{_life.Part.Name}, sequence {batch.Sequence}: {error}");
                break;
            default:
                batch.IsUncertain = true; // it may have been written, and its flush have failed
                _life.World.Trace.Say(_life.Part, $"produce: {error}");
                break;
        }
    }

    private void Acked(ForeignBatch batch, ErrorCode error)
    {
        _batches.Remove(batch);
        string how = string.Create(CultureInfo.InvariantCulture, $"{error}, producer {_producerId}, epoch {_epoch}, sequence {batch.Sequence}");
        foreach (byte[] value in batch.Values)
        {
            _ledger.Acked(BinaryPrimitives.ReadInt32BigEndian(value), how);
        }
    }

    private void TooLarge(ForeignBatch batch)
    {
        int at = _batches.IndexOf(batch);
        _batches.RemoveAt(at);
        if (batch.Values.Count == 1 || !_splits)
        {
            _mustBump = true; // given up: its sequences stay a gap
            return;
        }
        int half = batch.Values.Count / 2;
        _batches.Insert(at, new ForeignBatch(batch.Values[half..]) { Sequence = batch.Sequence + half });
        _batches.Insert(at, new ForeignBatch(batch.Values[..half]) { Sequence = batch.Sequence });
    }

    private void BumpEpoch()
    {
        _mustBump = false;
        _epoch++;
        _nextSequence = 0;
        _batches.ForEach(static batch => batch.Sequence = -1);
        _life.World.Trace.Say(_life.Part, $"goes on under epoch {_epoch}");
    }

    private byte[] MakeValue()
    {
        byte[] value = new byte[_life.Random.Next(10) switch
        {
            0 => _life.Random.Next(1000, ForeignProducer.BatchBytesMax + 100),
            < 4 => 500,
            _ => 100,
        }];
        BinaryPrimitives.WriteInt32BigEndian(value, _ledger.Next());
        return value;
    }
}
