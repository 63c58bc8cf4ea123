namespace LogPipeline.Storage;

/// <summary>What a partition knows of one idempotent producer.</summary>
/// <param name="ProducerId">The id the broker gave it.</param>
/// <param name="Epoch">Its newest epoch here.</param>
/// <param name="LastSequence">Sequence of its last record; -1 before the first.</param>
/// <param name="LastOffset">Offset of its last record; -1 before the first.</param>
/// <param name="LastTimestamp">When the last batch was appended, in milliseconds since 1970.</param>
public readonly record struct ProducerState(long ProducerId, short Epoch, int LastSequence, long LastOffset, long LastTimestamp);
