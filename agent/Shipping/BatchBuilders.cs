using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Agent.Shipping;

/// <summary>
/// Builders of the agent's batches: one that is given back is taken again, so that a busy log does not grow its buffers anew for
/// every batch. Only one is kept, so that many logs that are busy once do not hold memory for ever.
/// </summary>
internal sealed class BatchBuilders(CompressionCodec codec, int bytesMax) : IDisposable
{
    private RecordBatchBuilder? _kept;

    public RecordBatchBuilder Take()
    {
        RecordBatchBuilder builder = _kept ?? new RecordBatchBuilder(codec, bytesMax);
        _kept = null;
        return builder;
    }

    public void Give(RecordBatchBuilder builder)
    {
        builder.Reset();
        _kept?.Dispose();
        _kept = builder;
    }

    public void Dispose()
    {
        _kept?.Dispose();
        _kept = null;
    }
}
