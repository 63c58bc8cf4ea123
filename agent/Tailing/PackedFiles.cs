using LogPipeline.Agent.State;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// The packed files in the state directory: deleted files whose lines cannot be sent yet, kept there compressed instead of by an open handle, which
/// would keep all their bytes on the disk and end with the agent. Each is named by its generation, so that a start finds it whether or not the
/// registry had noted it.
/// </summary>
internal sealed class PackedFiles(IFileSystem files, AgentOptions options)
{
    private readonly IFileSystem _files = files;
    private readonly RestFolder _folder = new(files, options.StateDirectory, RestFolder.Packed);
    private readonly UnpackedFrame _unpacked = new();
    private readonly Dictionary<string, long> _lengths = new(StringComparer.Ordinal); // a packed file never changes

    public bool Holds(string path) => _folder.Holds(path);

    /// <summary>Opens a packed file, to be read as if it was not packed.</summary>
    /// <exception cref="IOException">It is not there or not whole.</exception>
    public IFile Open(string path)
    {
        IFile file = _files.Open(path, FileOpenMode.Read);
        try
        {
            return new PackedFile(file, _unpacked);
        }
        catch (IOException)
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>What stat says of it, with the length that it reads with; null when it is not there or not whole.</summary>
    public FileStatus? Stat(string path)
    {
        if (_files.Stat(path) is not FileStatus status)
        {
            return null;
        }
        if (!_lengths.TryGetValue(path, out long length))
        {
            using IFile file = _files.Open(path, FileOpenMode.Read);
            if (PackedFile.LengthOf(file) is not long whole)
            {
                return null;
            }
            _lengths[path] = length = whole;
        }
        return status with { Length = length };
    }

    /// <summary>The packed file that holds what was read of a generation whose own file is gone; null when there is none.</summary>
    public OpenCopy? Find(Generation generation)
    {
        string path = _folder.PathOf(generation);
        if (Stat(path) is null)
        {
            return null;
        }
        IFile file = Open(path);
        if (ContentCheck.Holds(file, generation))
        {
            return new OpenCopy(path, file, FileIdentity.Of(file.Status()));
        }
        file.Dispose();
        return null;
    }

    /// <summary>Begins to pack a generation's file.</summary>
    public Packing Begin(Generation generation) => new(this, generation);

    /// <summary>Deletes a packed file that is read; other files stay.</summary>
    public void Forget(string path)
    {
        _lengths.Remove(path);
        _folder.Forget(path);
    }

    /// <summary>Where a generation's file is packed to.</summary>
    public string PathOf(Generation generation) => _folder.PathOf(generation);

    public void ForgetBut(HashSet<string> inUse) => _folder.ForgetBut(inUse);

    /// <summary>A packed file that is being written, under another name until it is whole and durable.</summary>
    internal sealed class Packing : IDisposable
    {
        private readonly PackedFiles _owner;
        private readonly string _path;
        private readonly IFile _file;
        private readonly PackedFileWriter _writer;
        private bool _isOver;

        public Packing(PackedFiles owner, Generation generation)
        {
            (_owner, _path) = (owner, owner._folder.PathOf(generation));
            _file = owner._folder.Create(_path + AtomicFile.TemporarySuffix);
            _writer = new PackedFileWriter(_file);
        }

        /// <inheritdoc cref="PackedFileWriter.Add"/>
        public void Add(ReadOnlySpan<byte> bytes) => _writer.Add(bytes);

        /// <summary>Makes durable what was added, off the agent's thread, so that <see cref="End"/> has little left to do.</summary>
        public ValueTask FlushAsync() => _file.FlushAsync();

        /// <summary>Ends the file, makes it durable under its name and returns it, open.</summary>
        public OpenCopy End()
        {
            _writer.End();
            _file.Flush();
            _owner._files.Rename(_file.Path, _path);
            _owner._folder.Flush();
            _isOver = true;
            IFile packed = _owner.Open(_path);
            return new OpenCopy(_path, packed, FileIdentity.Of(packed.Status()));
        }

        /// <summary>Deletes what is not whole.</summary>
        public void Dispose()
        {
            _writer.Dispose();
            _file.Dispose();
            if (!_isOver)
            {
                _owner._files.Delete(_file.Path);
            }
        }
    }
}
