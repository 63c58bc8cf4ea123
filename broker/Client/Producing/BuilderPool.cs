using LogPipeline.Protocol.Records;

namespace LogPipeline.Client.Producing;

/// <summary>Batch builders to use again; <c>_gate</c> guards the stack. Bounded by the producer's buffer: each belongs to a batch that reserved its bytes.</summary>
internal sealed class BuilderPool(ProducerOptions options) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Stack<RecordBatchBuilder> _idle = [];

    public RecordBatchBuilder Take()
    {
        lock (_gate)
        {
            return _idle.TryPop(out RecordBatchBuilder? builder) ? builder : new RecordBatchBuilder(options.Compression, options.BatchBytes);
        }
    }

    public void Return(RecordBatchBuilder builder)
    {
        builder.Reset();
        lock (_gate)
        {
            _idle.Push(builder);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            while (_idle.TryPop(out RecordBatchBuilder? builder))
            {
                builder.Dispose();
            }
        }
    }
}
