using System.Globalization;

namespace LogPipeline.Agent.Sources;

/// <summary>What the kernel says of a host at one moment: the counters of /proc, in its own units where they are clear. Text in, numbers out.</summary>
/// <param name="Cpu">Ticks since boot of all processors: user with nice, system with interrupts, idle, waiting for disks, stolen by the hypervisor.</param>
/// <param name="Cores">Processors.</param>
/// <param name="Memory">Bytes, by the names of /proc/meminfo.</param>
/// <param name="Load">Runnable threads, averaged over 1, 5 and 15 minutes.</param>
/// <param name="Disks">Bytes read and written since boot, and milliseconds busy, by whole disk.</param>
/// <param name="Networks">Bytes received and sent since boot, by interface, the loopback left out.</param>
internal sealed record HostSample(
    CpuTicks Cpu, int Cores, IReadOnlyDictionary<string, long> Memory, IReadOnlyList<double> Load,
    IReadOnlyDictionary<string, DiskCounters> Disks, IReadOnlyDictionary<string, NetworkCounters> Networks)
{
    /// <summary>The unit of /proc/diskstats, whatever the disk's own sector is (Documentation/admin-guide/iostats.rst).</summary>
    private const int SectorBytes = 512;

    /// <param name="read">Returns the text of a file below /proc, such as <c>stat</c>; empty where there is no such file.</param>
    public static HostSample Read(Func<string, string> read)
    {
        string stat = read("stat");
        return new HostSample(
            CpuOf(stat), Lines(stat).Count(static line => line.StartsWith("cpu", StringComparison.Ordinal) && line.Length > 3 && char.IsAsciiDigit(line[3])),
            MemoryOf(read("meminfo")), LoadOf(read("loadavg")), DisksOf(read("diskstats")), NetworksOf(read("net/dev")));
    }

    private static CpuTicks CpuOf(string stat)
    {
        string[] words = Words(Lines(stat).FirstOrDefault(static line => line.StartsWith("cpu ", StringComparison.Ordinal)) ?? "");
        long At(int field) => field < words.Length ? Number(words[field]) : 0;
        // cpu user nice system idle iowait irq softirq steal; guests are counted in user already (proc(5)).
        return new CpuTicks(At(1) + At(2), At(3) + At(6) + At(7), At(4), At(5), At(8));
    }

    private static Dictionary<string, long> MemoryOf(string meminfo)
    {
        Dictionary<string, long> memory = new(StringComparer.Ordinal);
        foreach (string[] words in Lines(meminfo).Select(Words).Where(static words => words.Length >= 2))
        {
            memory[words[0].TrimEnd(':')] = Number(words[1]) * (words.Length > 2 ? 1024 : 1);
        }
        return memory;
    }

    private static List<double> LoadOf(string loadavg) =>
        [.. Words(loadavg).Take(3).Select(static word => double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double load) ? load : 0)];

    private static SortedDictionary<string, DiskCounters> DisksOf(string diskstats)
    {
        SortedDictionary<string, DiskCounters> disks = new(StringComparer.Ordinal);
        foreach (string[] words in Lines(diskstats).Select(Words).Where(static words => words.Length >= 13 && IsWholeDisk(words[2])))
        {
            disks[words[2]] = new DiskCounters(Number(words[5]) * SectorBytes, Number(words[9]) * SectorBytes, Number(words[12]));
        }
        return disks;
    }

    /// <summary>Partitions are part of their disk; loop and memory devices are none that wear or wait.</summary>
    private static bool IsWholeDisk(string name)
    {
        if (name.StartsWith("loop", StringComparison.Ordinal) || name.StartsWith("ram", StringComparison.Ordinal) || name.StartsWith("zram", StringComparison.Ordinal))
        {
            return false;
        }
        bool isNumbered = name.StartsWith("nvme", StringComparison.Ordinal) || name.StartsWith("mmcblk", StringComparison.Ordinal);
        int digits = name.Length - name.AsSpan().TrimEnd("0123456789").Length;
        return isNumbered ? digits == 0 || name[^(digits + 1)] != 'p'
            : digits == 0 || name.StartsWith("dm-", StringComparison.Ordinal) || name.StartsWith("md", StringComparison.Ordinal) || name.StartsWith("sr", StringComparison.Ordinal);
    }

    private static SortedDictionary<string, NetworkCounters> NetworksOf(string dev)
    {
        SortedDictionary<string, NetworkCounters> networks = new(StringComparer.Ordinal);
        foreach (string line in Lines(dev))
        {
            // "  eth0: 1 2 …": the first number may follow the colon without a space.
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string name = colon < 0 ? "" : line[..colon].Trim();
            string[] words = colon < 0 ? [] : Words(line[(colon + 1)..]);
            if (words.Length >= 12 && name != "lo")
            {
                networks[name] = new NetworkCounters(Number(words[0]), Number(words[8]), Number(words[2]) + Number(words[10]));
            }
        }
        return networks;
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string[] Words(string line) => line.Split([' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries);

    private static long Number(string word) => long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;
}

internal readonly record struct CpuTicks(long User, long System, long Idle, long IoWait, long Steal)
{
    public long Total => User + System + Idle + IoWait + Steal;
}

internal readonly record struct DiskCounters(long ReadBytes, long WrittenBytes, long BusyMilliseconds);

internal readonly record struct NetworkCounters(long ReceivedBytes, long SentBytes, long Errors);

/// <summary>Space of a mounted file system, in bytes.</summary>
internal readonly record struct VolumeSpace(string Mount, long Total, long Free);
