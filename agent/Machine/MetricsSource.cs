using LogPipeline.Agent.Sources;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Machine;

/// <summary>Samples /proc each interval and spools what it says. What could not be had while the agent was away is not made up.</summary>
internal sealed class MetricsSource(MetricsSourceOptions options, TimeProvider time, ILogger logger) : ILineSource
{
    public async Task RunAsync(Spool spool, CancellationToken stopped)
    {
        HostSample before = HostSample.Read(Text);
        long begun = time.GetTimestamp();
        while (true)
        {
            await Task.Delay(options.Interval, time, stopped);
            HostSample now = HostSample.Read(Text);
            long taken = time.GetTimestamp();
            byte[] line = HostMetricsLine.Write(time.GetUtcNow(), before, now, time.GetElapsedTime(begun, taken), Volumes());
            // A sample is worth no waiting: the next one comes.
            if (!spool.TryAppend(line))
            {
                logger.SourceDrops(options.Name);
            }
            (before, begun) = (now, taken);
        }
    }

    private static string Text(string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine("/proc", name));
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>File systems on devices; each device once, under the first place where it is mounted.</summary>
    private static List<VolumeSpace> Volumes()
    {
        List<VolumeSpace> volumes = [];
        HashSet<string> devices = new(StringComparer.Ordinal);
        foreach (string[] words in Text("mounts").Split('\n').Select(static line => line.Split(' ')))
        {
            if (words.Length < 3 || !words[0].StartsWith("/dev/", StringComparison.Ordinal) || words[0].StartsWith("/dev/loop", StringComparison.Ordinal) || !devices.Add(words[0]))
            {
                continue;
            }
            try
            {
                string mount = words[1].Replace("\\040", " ", StringComparison.Ordinal); // as the kernel writes a space
                var drive = new DriveInfo(mount);
                volumes.Add(new VolumeSpace(mount, drive.TotalSize, drive.AvailableFreeSpace));
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ArgumentException)
            {
                // Unmounted meanwhile, or not for us to see.
            }
        }
        return volumes;
    }
}
