using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Producers;

/// <summary>One batch of a producer, as far as recognising its repeat needs it.</summary>
/// <param name="LastSequence">Sequence of its last record.</param>
/// <param name="LastOffset">Offset of its last record.</param>
/// <param name="OffsetDelta">Last offset - base offset, and so last sequence - first sequence.</param>
/// <param name="Timestamp">When it was appended, in milliseconds since 1970.</param>
internal readonly record struct ProducerBatch(int LastSequence, long LastOffset, int OffsetDelta, long Timestamp)
{
    public int FirstSequence => RecordBatch.Sequence(LastSequence, -OffsetDelta);

    public long BaseOffset => LastOffset - OffsetDelta;
}
