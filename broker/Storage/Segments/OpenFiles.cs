using LogPipeline.Files;

namespace LogPipeline.Storage.Segments;

/// <summary>
/// The files of closed segments and of indexes, opened for reading when someone needs them. Of these at most a fixed number stays
/// open: the one used longest ago is closed for the next. The lock guards everything.
/// </summary>
internal sealed class OpenFiles(IFileSystem files, int max)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<(string Path, SharedFile File)>> _byPath = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Path, SharedFile File)> _byUse = new(); // the one used last is first

    /// <summary>The file at a path.</summary>
    /// <exception cref="IOException">The file is not there, or cannot be opened.</exception>
    public FileUse Use(string path)
    {
        lock (_gate)
        {
            if (_byPath.TryGetValue(path, out LinkedListNode<(string Path, SharedFile File)>? known))
            {
                _byUse.Remove(known);
                _byUse.AddFirst(known);
            }
            else
            {
                known = _byUse.AddFirst((path, new SharedFile(files.Open(path, FileOpenMode.Read))));
                _byPath.Add(path, known);
            }
            known.Value.File.TryUse(out FileUse use); // succeeds: this list is a user itself
            if (_byUse.Count > max)
            {
                Close(_byUse.Last!);
            }
            return use;
        }
    }

    /// <summary>Lets go of a file that was deleted or renamed; its users keep it until they are done.</summary>
    public void Forget(string path)
    {
        lock (_gate)
        {
            if (_byPath.TryGetValue(path, out LinkedListNode<(string Path, SharedFile File)>? known))
            {
                Close(known);
            }
        }
    }

    private void Close(LinkedListNode<(string Path, SharedFile File)> node)
    {
        _byUse.Remove(node);
        _byPath.Remove(node.Value.Path);
        node.Value.File.Release();
    }
}
