using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace LogPipeline.Hosting.Telemetry;

/// <summary>What the process costs: CPU seconds and memory, under the names that Prometheus users know.</summary>
internal sealed class ProcessMetrics : IDisposable
{
    private readonly Meter _meter = new("LogPipeline.Process");

    public ProcessMetrics()
    {
        _meter.CreateObservableCounter("process_cpu_seconds_total", () => Environment.CpuUsage.TotalTime.TotalSeconds, "s", "CPU time, user and system.");
        _meter.CreateObservableGauge("process_resident_memory_bytes", () => Environment.WorkingSet, "By", "Memory that is in RAM.");
        _meter.CreateObservableGauge("process_open_fds", OpenDescriptors, null, "Open files and sockets.");
        _meter.CreateObservableGauge("process_start_time_seconds", StartTime, "s", "When the process started, in Unix time.");
        _meter.CreateObservableGauge("logpipe_managed_heap_bytes", () => GC.GetTotalMemory(forceFullCollection: false), "By", "Managed memory in use.");
        _meter.CreateObservableGauge("logpipe_build_info", () => new Measurement<int>(1, KeyValuePair.Create<string, object?>("version", Product.Version)), null,
            "Always 1; the label says which version runs.");
    }

    public void Dispose() => _meter.Dispose();

    private static int OpenDescriptors() => Directory.Exists("/proc/self/fd") ? Directory.GetFiles("/proc/self/fd").Length : 0;

    private static double StartTime() => new DateTimeOffset(Process.GetCurrentProcess().StartTime).ToUnixTimeMilliseconds() / 1000.0;
}
