using System.Globalization;
using LogPipeline.Broker;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Storage;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation.Parts;

/// <summary>
/// A bit of a closed segment flips while the broker is down: in truth between opening its logs, which does not read them, and its first
/// client. When that life ends the bit flips back, as when somebody restores the file from a copy.
/// </summary>
internal sealed class FlippedBit(World world, MemoryDisk disk)
{
    private (string Path, long Position, byte Mask)? _flipped;

    public bool IsThere => _flipped is not null;

    /// <summary>Flips one, for the life that begins.</summary>
    public void Flip(BrokerCore core, Life life)
    {
        List<string> closed = [.. core.Topics.All.Where(static topic => topic.Name == Story.Topic)
            .SelectMany(static topic => topic.Partitions).SelectMany(static partition => Closed(partition.Log!))];
        if (closed.Count == 0)
        {
            return;
        }
        string path = closed[world.Random.Next(closed.Count)];
        long position = world.Random.NextInt64(new MemoryFileSystem(disk).Stat(path)!.Value.Length);
        byte mask = (byte)(1 << world.Random.Next(8));
        disk.Corrupt(path, position, mask);
        _flipped = (path, position, mask);
        world.Trace.Say(null, string.Create(CultureInfo.InvariantCulture, $"a bit of {path} has flipped at position {position}"));
        life.AtDeath(Restore);
    }

    /// <summary>Restores a file that is about to be deleted, so that it can be seen what goes with it.</summary>
    public void Deleting(string path)
    {
        if (_flipped?.Path == path)
        {
            Restore();
        }
    }

    private void Restore()
    {
        if (_flipped is { } bit && new MemoryFileSystem(disk).FileExists(bit.Path))
        {
            disk.Corrupt(bit.Path, bit.Position, bit.Mask);
        }
        _flipped = null;
    }

    private static IEnumerable<string> Closed(PartitionLog log) => log.SegmentStarts().SkipLast(1)
        .Select(segment => string.Create(CultureInfo.InvariantCulture, $"{log.Directory}/{segment.BaseOffset:D20}.log"));
}
