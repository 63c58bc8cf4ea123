using LogPipeline.Files;
using LogPipeline.Files.Waiting;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Storage;

/// <summary>
/// The space that the data directory's disk has left. Clients' batches are refused while less than the reserve is free, so that what
/// must go on still fits: offset commits, checkpoints, deletions. The same amount is held by a file, which a start gives up when others
/// have filled the disk. All members may be called from any thread.
/// </summary>
internal sealed class DiskSpace(IFileSystem files, string directory, long reserve, AsyncSignal maintenanceDue, ILogger logger)
{
    private const string FileName = "reserved.space";
    private const long AllowanceMin = 64 << 10;
    private const long AllowanceMax = 1 << 20;

    private long _allowance; // bytes that may be taken before the file system is asked again
    private volatile bool _isShort;

    /// <summary>Whether clients' batches are refused.</summary>
    public bool IsShort => _isShort;

    /// <summary>Takes room for a client's batch; false while the disk is too full for it.</summary>
    public bool TryTake(int bytes)
    {
        if (reserve == 0)
        {
            return true;
        }
        if (_isShort || Interlocked.Add(ref _allowance, -bytes) < 0)
        {
            Look();
        }
        return !_isShort;
    }

    /// <summary>Asks the file system how much is free.</summary>
    /// <exception cref="IOException">The file system does not answer.</exception>
    public void Look()
    {
        long beyond = files.FreeBytes(directory) - reserve;
        Volatile.Write(ref _allowance, Math.Clamp(beyond / 2, AllowanceMin, AllowanceMax));
        if (_isShort != beyond < 0)
        {
            _isShort = beyond < 0;
            if (_isShort)
            {
                Log.DiskShort(logger, directory, beyond + reserve, reserve);
                maintenanceDue.Set();
            }
            else
            {
                Log.DiskRoomy(logger, directory, beyond + reserve);
            }
        }
    }

    /// <summary>Asks the file system, and makes the file that holds the reserve again where there is room for it.</summary>
    public void LookAndHold()
    {
        if (reserve == 0)
        {
            return;
        }
        try
        {
            Hold();
            Look();
        }
        catch (IOException e)
        {
            Log.SpaceUnknown(logger, directory, e);
        }
    }

    /// <summary>Removes the file that holds the reserve if the disk is too full for a start's own writes.</summary>
    public void GiveUpIfFull()
    {
        if (reserve > 0 && files.FreeBytes(directory) < reserve)
        {
            GiveUp();
        }
    }

    /// <summary>Does what a removal needs; gives the reserve up for it when the disk is completely full, since it will free more.</summary>
    /// <exception cref="IOException">The disk refused all the same.</exception>
    public void WithReserve(Action write)
    {
        try
        {
            write();
        }
        catch (IOException e) when (e.IsDiskFull() && files.FileExists(directory + "/" + FileName))
        {
            GiveUp();
            write();
        }
    }

    /// <summary>Makes the file that holds the reserve where there is room for it twice; a disk that cannot reserve has none.</summary>
    public void Hold()
    {
        string path = directory + "/" + FileName;
        if (reserve > 0 && !files.FileExists(path) && files.FreeBytes(directory) >= 2 * reserve)
        {
            using IFile file = files.Open(path, FileOpenMode.ReadWrite);
            file.Reserve(reserve);
        }
    }

    private void GiveUp() => files.Delete(directory + "/" + FileName);
}
