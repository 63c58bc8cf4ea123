using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace LogPipeline.Agent.Sources;

/// <summary>
/// A host's state as one JSON line, from two samples: percentages and rates are over the time between them. Numbers are bytes, bytes a second,
/// per cent of all processors (0 to 100), or per cent of the time in which a disk was busy.
/// </summary>
internal static class HostMetricsLine
{
    /// <summary>Names here, and those of /proc/meminfo.</summary>
    private static readonly (string Name, string Field)[] MemoryFields =
        [("total", "MemTotal"), ("available", "MemAvailable"), ("cached", "Cached"), ("swap_total", "SwapTotal"), ("swap_free", "SwapFree")];

    public static byte[] Write(DateTimeOffset time, HostSample before, HostSample now, TimeSpan passed, IReadOnlyList<VolumeSpace> volumes)
    {
        double seconds = Math.Max(passed.TotalSeconds, 0.001);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            WriteCpu(json, before.Cpu, now.Cpu, now.Cores);
            json.WriteStartArray("load");
            foreach (double load in now.Load)
            {
                json.WriteNumberValue(load);
            }
            json.WriteEndArray();
            WriteMemory(json, now.Memory);
            WriteDisks(json, before, now, seconds);
            WriteVolumes(json, volumes);
            WriteNetworks(json, before, now, seconds);
            json.WriteEndObject();
        }
        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private static void WriteCpu(Utf8JsonWriter json, CpuTicks before, CpuTicks now, int cores)
    {
        double total = Math.Max(1, now.Total - before.Total);
        json.WriteStartObject("cpu");
        json.WriteNumber("cores", cores);
        json.WriteNumber("user", Rounded(100 * (now.User - before.User) / total));
        json.WriteNumber("system", Rounded(100 * (now.System - before.System) / total));
        json.WriteNumber("iowait", Rounded(100 * (now.IoWait - before.IoWait) / total));
        json.WriteNumber("steal", Rounded(100 * (now.Steal - before.Steal) / total));
        json.WriteNumber("idle", Rounded(100 * (now.Idle - before.Idle) / total));
        json.WriteEndObject();
    }

    private static void WriteMemory(Utf8JsonWriter json, IReadOnlyDictionary<string, long> memory)
    {
        json.WriteStartObject("memory");
        foreach ((string name, string field) in MemoryFields)
        {
            json.WriteNumber(name, memory.GetValueOrDefault(field));
        }
        json.WriteEndObject();
    }

    private static void WriteDisks(Utf8JsonWriter json, HostSample before, HostSample now, double seconds)
    {
        json.WriteStartObject("disks");
        foreach ((string name, DiskCounters disk) in now.Disks)
        {
            DiskCounters first = before.Disks.GetValueOrDefault(name, disk);
            json.WriteStartObject(name);
            json.WriteNumber("read", Rate(disk.ReadBytes - first.ReadBytes, seconds));
            json.WriteNumber("written", Rate(disk.WrittenBytes - first.WrittenBytes, seconds));
            json.WriteNumber("busy", Rounded(Math.Clamp((disk.BusyMilliseconds - first.BusyMilliseconds) / seconds / 10, 0, 100)));
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteVolumes(Utf8JsonWriter json, IReadOnlyList<VolumeSpace> volumes)
    {
        json.WriteStartObject("volumes");
        foreach (VolumeSpace volume in volumes)
        {
            json.WriteStartObject(volume.Mount);
            json.WriteNumber("total", volume.Total);
            json.WriteNumber("free", volume.Free);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteNetworks(Utf8JsonWriter json, HostSample before, HostSample now, double seconds)
    {
        json.WriteStartObject("networks");
        foreach ((string name, NetworkCounters network) in now.Networks)
        {
            NetworkCounters first = before.Networks.GetValueOrDefault(name, network);
            json.WriteStartObject(name);
            json.WriteNumber("received", Rate(network.ReceivedBytes - first.ReceivedBytes, seconds));
            json.WriteNumber("sent", Rate(network.SentBytes - first.SentBytes, seconds));
            json.WriteNumber("errors", Math.Max(0, network.Errors - first.Errors));
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    /// <summary>A counter that went back was begun anew.</summary>
    private static long Rate(long bytes, double seconds) => Math.Max(0, (long)(bytes / seconds));

    private static double Rounded(double value) => Math.Round(value, 1);
}
