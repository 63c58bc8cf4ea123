namespace LogPipeline.Agent.State;

/// <summary>How far a generation was read: the position, the framing state there, and the running totals up to there.</summary>
/// <param name="Position">Bytes from the file's start; what lies before is in a record or counted as left out.</param>
/// <param name="LineBegin">First byte of the line that <paramref name="Position"/> is in the middle of; else the position itself.</param>
/// <param name="Part">Parts of that line given out so far; 0 at a line's begin.</param>
/// <param name="Records">Records that cover what lies before.</param>
/// <param name="Bytes">Bytes of their values.</param>
/// <param name="Sum">Sum of their <see cref="LogPipeline.Contract.RecordSum"/> terms.</param>
internal readonly record struct Progress(long Position, long LineBegin, int Part, long Records, long Bytes, ulong Sum)
{
    /// <summary>
    /// End of the last record. What lies between it and <see cref="Position"/> is left out, and is covered by the next record, so that the records
    /// of a generation lie end to end.
    /// </summary>
    public long Covered { get; init; } = Position;

    public static Progress At(long position) => new(position, position, 0, 0, 0, 0);

    public void Write(StateWriter to)
    {
        to.Int64(Position);
        to.Int64(LineBegin);
        to.Int32(Part);
        to.Int64(Records);
        to.Int64(Bytes);
        to.UInt64(Sum);
    }

    public static Progress Read(ref StateReader from) =>
        new(from.Int64(), from.Int64(), from.Int32(), from.Int64(), from.Int64(), from.UInt64());
}
