using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Tailing;
using LogPipeline.Contract;
using LogPipeline.Files;
using LogPipeline.Protocol.Compression;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogPipeline.Agent.Resending;

/// <summary>
/// Reads what is acked of a generation from its file anew, by the code that read it first, so that the same bytes become the same records. That
/// they are the same the registry's totals prove: their number, length and checksum, which counts each record's end and value.
/// </summary>
internal sealed class AckedRecords : IDisposable
{
    private readonly AgentOptions _options;
    private readonly InputOptions _input;
    private readonly Guid _agentId;
    private readonly Generation _generation;
    private readonly IFile _file;
    private readonly TimeProvider _time;
    private readonly AgentMetrics _metrics = new(static () => [], static () => 0, static () => 0, static () => 0, static () => 0);
    private readonly List<ulong> _proved = [];

    /// <param name="options">The configuration.</param>
    /// <param name="input">The input of it that has the file.</param>
    /// <param name="agentId">The agent whose records they are.</param>
    /// <param name="generation">What is acked.</param>
    /// <param name="file">The file, open; its owner closes it.</param>
    /// <param name="time">Says what time the records get; where batches end goes by it too.</param>
    public AckedRecords(AgentOptions options, InputOptions input, Guid agentId, Generation generation, IFile file, TimeProvider time)
    {
        // A limit would hold lines up; which ones it left out cannot be told, and the totals show that there were any.
        _input = input with { RateLimit = null };
        _options = options with { Inputs = [.. options.Inputs.Select(other => ReferenceEquals(other, input) ? _input : other)] };
        (_agentId, _generation, _file, _time) = (agentId, generation, file, new MomentTime(time.GetUtcNow()));
    }

    /// <summary>Reads all of it once.</summary>
    /// <param name="see">Called with each record.</param>
    /// <exception cref="ResendRefusedException">The file does not hold what was read of it, or its lines would become other records now.</exception>
    public void Prove(Action<RecordPosition, ReadOnlySpan<byte>> see)
    {
        Progress acked = _generation.Acked;
        if (!Holds(_file, _generation))
        {
            throw new ResendRefusedException("the file does not hold what was read of it: it was cut or written anew; nothing is sent");
        }
        _proved.Clear();
        var found = Progress.At(_generation.Begin);
        foreach (ReadOnlyMemory<byte> batch in Read())
        {
            ReEncoder.Visit(batch.Span, (position, value) =>
            {
                if (position.End <= acked.Position)
                {
                    found = found with { Records = found.Records + 1, Bytes = found.Bytes + value.Length, Sum = found.Sum + RecordSum.Term(position.End, value) };
                    see(position, value);
                }
            });
            _proved.Add(found.Sum);
        }
        if ((found.Records, found.Bytes, found.Sum) != (acked.Records, acked.Bytes, acked.Sum))
        {
            throw new ResendRefusedException(_generation.Omitted.Limited > 0
                ? $"{_generation.Omitted.Limited} of its lines were left out by rate_limit, and which ones cannot be told; nothing is sent"
                : $"its lines would not become the records that were acked ({acked.Records} of {acked.Bytes} bytes then, {found.Records} of {found.Bytes} now):"
                    + " what its input says of lines has changed since, or a group of lines was ended by its timeout; nothing is sent");
        }
    }

    /// <summary>Whether a file holds what is acked of a generation, as far as the begin and the end of that show.</summary>
    public static bool Holds(IFile file, Generation generation) =>
        file.Length >= generation.Acked.Position && ContentCheck.HoldsBefore(file, generation.Acked.Position, generation.AckedTail)
        && (generation.Head.Length == 0 || generation.Head.Length > generation.Acked.Position || ContentCheck.HeadOf(file, generation.Head.Length) == generation.Head);

    /// <summary>Reads it again and returns the same batches, each only while it is what was proved.</summary>
    /// <exception cref="ResendRefusedException">The file has changed since.</exception>
    public IEnumerable<ReadOnlyMemory<byte>> Proved()
    {
        ulong sum = 0;
        int index = 0;
        foreach (ReadOnlyMemory<byte> batch in Read())
        {
            ReEncoder.Visit(batch.Span, (position, value) => sum += position.End <= _generation.Acked.Position ? RecordSum.Term(position.End, value) : 0);
            if (index >= _proved.Count || sum != _proved[index++])
            {
                throw Changed();
            }
            yield return batch;
        }
    }

    public void Dispose() => _metrics.Dispose();

    private IEnumerable<ReadOnlyMemory<byte>> Read()
    {
        Progress acked = _generation.Acked;
        // In the middle of a long line what follows says that it goes on; else all that is acked ends with a whole record.
        bool isInLine = acked.Part > 0;
        IFile file = isInLine ? _file : new BoundedFile(_file, acked.Position);
        var generation = new Generation
        {
            Id = _generation.Id,
            Topic = _generation.Topic,
            FirstPath = _generation.FirstPath,
            Path = _generation.Path,
            Begin = _generation.Begin,
            Acked = Progress.At(_generation.Begin),
            Read = Progress.At(_generation.Begin),
            ReadTail = ContentCheck.TailBefore(file, _generation.Begin),
        };
        var tailed = new TailedFile(generation, _input, FileTable.HeadersOf(_options, _agentId, generation, _input), []) { TakeRest = !isInLine };
        var reader = new FileReader(_options, _time, _metrics, NullLogger.Instance);
        using var builders = new BatchBuilders(CompressionCodec.None, _options.BatchBytes);
        var target = new BatchQueue(builders);
        for (ReadOutcome outcome = ReadOutcome.More; outcome == ReadOutcome.More && generation.Read.Position < acked.Position;)
        {
            outcome = reader.Read(tailed, file, target);
            if (outcome == ReadOutcome.Changed)
            {
                throw Changed();
            }
            if (outcome != ReadOutcome.More || generation.Read.Position >= acked.Position)
            {
                target.CloseBatch();
            }
            while (target.TryTake(out PooledBatch? batch))
            {
                yield return batch.Memory;
                batch.GiveBack();
            }
        }
    }

    private static ResendRefusedException Changed() => new("the file has changed while it was read; what had not been sent by then is not sent");

    /// <summary>A clock that stands: a record takes more room the longer its batch has been open, and the second reading is to make the batches of the first.</summary>
    private sealed class MomentTime(DateTimeOffset moment) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => moment;

        public override long GetTimestamp() => 0;
    }

    /// <summary>Takes the batches that a reader fills.</summary>
    private sealed class BatchQueue(BatchBuilders builders) : ILineTarget
    {
        private readonly Queue<PooledBatch> _batches = [];

        public bool CanAccept => true;

        public OpenBatch Open { get; } = new(builders);

        public void CloseBatch()
        {
            if (!Open.IsEmpty && Open.Seal(-1, -1, -1, out _, out _) is PooledBatch batch)
            {
                _batches.Enqueue(batch);
            }
        }

        public bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out PooledBatch? batch) => _batches.TryDequeue(out batch);
    }
}
