namespace LogPipeline.Storage;

/// <summary>A log is damaged where a crash cannot have damaged it. Nothing was cut: it needs a person's decision.</summary>
public sealed class CorruptLogException(string file, long position, long offset, string reason) : IOException(
    $"{file} is damaged at position {position}, offset {offset}: {reason}. Nothing was removed. Restore the file from a copy, or cut "
    + "it there to give up what follows.")
{
    public string DamagedFile { get; } = file;

    /// <summary>Where the first bad batch begins, in bytes.</summary>
    public long Position { get; } = position;

    /// <summary>The first offset that cannot be read.</summary>
    public long Offset { get; } = offset;
}
