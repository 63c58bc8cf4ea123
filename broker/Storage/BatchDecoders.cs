using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage;

/// <summary>
/// Decoders with their buffers, one for each append that unpacks a batch at this moment, and used again. Any thread may call; the
/// lock is held to take one and to put one back, never while a batch is unpacked.
/// </summary>
internal sealed class BatchDecoders
{
    private const int KeptMax = 8;
    private const int BufferBytesKept = 2 << 20;

    private readonly Lock _gate = new();
    private readonly Stack<BatchDecoder> _free = new(KeptMax); // guarded by _gate

    public BatchDecoder Rent()
    {
        lock (_gate)
        {
            return _free.TryPop(out BatchDecoder? decoder) ? decoder : new BatchDecoder();
        }
    }

    public void Return(BatchDecoder decoder)
    {
        decoder.Trim(BufferBytesKept);
        lock (_gate)
        {
            if (_free.Count < KeptMax)
            {
                _free.Push(decoder);
                return;
            }
        }
        decoder.Dispose();
    }
}
