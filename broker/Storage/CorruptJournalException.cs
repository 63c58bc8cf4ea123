namespace LogPipeline.Storage;

/// <summary>Bytes of the commit journal that were durable cannot be read, and the segments do not hold them either.</summary>
public sealed class CorruptJournalException(string file, long position, string loss) : IOException(
    $"{file} is damaged at position {position}: {loss} would be lost. Nothing was removed. Restore the file from a copy, or remove "
    + "the directory it is in to give that up.")
{
    public string DamagedFile { get; } = file;

    /// <summary>Where the bad bytes begin.</summary>
    public long Position { get; } = position;
}
