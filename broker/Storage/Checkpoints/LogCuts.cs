using LogPipeline.Files;

namespace LogPipeline.Storage.Checkpoints;

/// <summary>
/// How often a log was cut while in use: what the commit journal holds from before the last cut does not count. No file means never.
/// <code>
/// cuts=2
/// </code>
/// </summary>
internal static class LogCuts
{
    public const string FileName = "log-cuts";

    public static int Read(IFileSystem files, string directory)
    {
        string path = directory + "/" + FileName;
        return Properties.Read(files, path) is { } properties ? checked((int)Properties.Number(properties, "cuts", path)) : 0;
    }

    public static void Write(IFileSystem files, string directory, int cuts) =>
        Properties.Write(files, directory + "/" + FileName, $"cuts={cuts}");
}
