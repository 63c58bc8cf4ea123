using LogPipeline.Files;

namespace LogPipeline.Agent.State;

/// <summary>A folder of the state directory that holds for each of some generations one file, named by its id: what is left of it to read.</summary>
internal sealed class RestFolder(IFileSystem files, string stateDirectory, string name)
{
    /// <summary>The folder of deleted files that are kept compressed.</summary>
    public const string Packed = "packed";

    private readonly string _path = Path.Combine(stateDirectory, name);

    /// <summary>Where the file of a generation is, or would be.</summary>
    public string PathOf(Generation generation) => Path.Combine(_path, $"{generation.Id:x16}");

    public bool Holds(string path) => Path.GetDirectoryName(path) == _path;

    /// <summary>Opens a new file, in the place of one that is there.</summary>
    public IFile Create(string path)
    {
        files.CreateDirectory(_path);
        files.Delete(path);
        return files.Open(path, FileOpenMode.CreateNew);
    }

    /// <summary>Makes the names in it durable.</summary>
    public void Flush() => files.FlushDirectory(_path);

    /// <summary>Deletes a file if it lies here; other files stay.</summary>
    public void Forget(string path)
    {
        if (Holds(path))
        {
            files.Delete(path);
        }
    }

    /// <summary>Deletes all files but those in use: they are of generations that are gone, or of before a crash.</summary>
    public void ForgetBut(IReadOnlySet<string> inUse)
    {
        foreach (DirectoryEntry entry in files.List(_path))
        {
            string path = Path.Combine(_path, entry.Name);
            if (!inUse.Contains(path))
            {
                files.Delete(path);
            }
        }
    }
}
