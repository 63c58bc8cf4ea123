namespace LogPipeline.Storage.Verification;

/// <summary>Something in a data directory that is not as it was written.</summary>
/// <param name="File">The file's path.</param>
/// <param name="Position">Where in the file, in bytes.</param>
/// <param name="Offset">The first offset concerned; null where it is not about records.</param>
/// <param name="Reason">What is wrong, for people.</param>
public readonly record struct LogFault(string File, long Position, long? Offset, string Reason)
{
    public override string ToString() => Offset is { } offset
        ? $"{File} is damaged at position {Position}, offset {offset}: {Reason}"
        : $"{File} is damaged at position {Position}: {Reason}";
}
