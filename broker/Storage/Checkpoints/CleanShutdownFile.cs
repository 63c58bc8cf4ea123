using System.Text;
using LogPipeline.Files;

namespace LogPipeline.Storage.Checkpoints;

/// <summary>Kafka's mark of a clean stop; it is there only between a stop and the next start.</summary>
internal static class CleanShutdownFile
{
    private const string FileName = ".kafka_cleanshutdown";

    public static bool Exists(IFileSystem files, string directory) => files.FileExists(directory + "/" + FileName);

    /// <summary>Removes the mark durably; false when there was none.</summary>
    public static bool Remove(IFileSystem files, string directory)
    {
        string path = directory + "/" + FileName;
        if (!files.FileExists(path))
        {
            return false;
        }
        files.Delete(path);
        files.FlushDirectory(directory);
        return true;
    }

    public static void Write(IFileSystem files, string directory, int brokerEpoch) => AtomicFile.Replace(
        files, directory + "/" + FileName, Encoding.UTF8.GetBytes($"{{\"version\":0,\"brokerEpoch\":{brokerEpoch}}}"));
}
