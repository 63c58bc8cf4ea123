using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage;

/// <summary>An offset and the place of its batch border.</summary>
/// <param name="Offset">The first offset behind the border.</param>
/// <param name="Segment">The segment that the batch before it is in, or the one that begins there.</param>
/// <param name="Position">Of the border in the segment's file, in bytes.</param>
/// <param name="Cuts">How often the log was cut before; another count tells that the place may be gone.</param>
internal sealed record LogEnd(long Offset, LogSegment Segment, long Position, int Cuts);
