using LogPipeline.Files;

namespace LogPipeline.Agent.State;

/// <summary>
/// The file <c>start</c> of the state directory: it is there while a start finds again what the last run left, and says up to when that run followed files. A start
/// writes the state too: where it is killed, the time of the last write no longer tells. One frame of <see cref="StateWriter"/>:
/// <code>
///   Start  followed until i64, nanoseconds since 1970
/// </code>
/// </summary>
internal sealed class StartMark(IFileSystem files, string stateDirectory)
{
    public const string FileName = "start";

    private readonly string _path = Path.Combine(stateDirectory, FileName);

    /// <summary>Up to when files were followed before a start that did not end; null when the last start ended, or when the file is damaged.</summary>
    /// <param name="isDamaged">Whether there was one, and the file is damaged.</param>
    public long? Read(out bool isDamaged)
    {
        byte[]? bytes = AtomicFile.ReadAll(files, _path);
        bool isWhole = StateReader.TryFrame(bytes, out FrameKind kind, out ReadOnlySpan<byte> payload, out _) == FrameResult.Frame
            && kind == FrameKind.Start && payload.Length == sizeof(long);
        isDamaged = bytes is not null && !isWhole;
        return isWhole ? new StateReader(payload).Int64() : null;
    }

    /// <summary>Durable on return.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public void Write(long followedUntil)
    {
        var writer = new StateWriter();
        writer.Begin(FrameKind.Start);
        writer.Int64(followedUntil);
        writer.End();
        AtomicFile.Replace(files, _path, writer.Written);
    }

    /// <summary>Durable on return: a mark that came back after a crash of the host would let a later start take old files for missed ones.</summary>
    public void Remove()
    {
        if (files.FileExists(_path))
        {
            files.Delete(_path);
            files.FlushDirectory(stateDirectory);
        }
    }
}
